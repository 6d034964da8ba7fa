"""What the whole forwarder costs, from HTTP requests to records in Kinesis, beside a peer in Python."""
