"""Kinesis out: a queue per destination, the wire, retries and credentials. Knows nothing of HTTP in."""
