"""A stream read back: where to begin, what a record is, and all of its shards in order."""
