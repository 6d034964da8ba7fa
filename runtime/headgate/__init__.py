"""Headgate: the forwarder that delivers Segment-style events into Amazon Kinesis, and its command line."""

__version__ = "0.1.0"
