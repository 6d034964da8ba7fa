"""What delivery costs, from records in memory to answers of Kinesis, beside the SDKs of AWS."""
