"""What arrives, how often and in which order, when Kinesis is not well."""
