"""What the forwarder holds while Kinesis is down, and clients send as fast as they can."""
