"""What Kinesis cannot take now waits in SQS; what it will never take is kept as dead letters."""
