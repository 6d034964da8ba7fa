"""A stand-in for Kinesis that costs less than what is measured beside it.

It takes every record of every stream, and all of its streams have the same shards. What has to throttle, to
fail or to be looked into is `headgate.testing`.
"""
