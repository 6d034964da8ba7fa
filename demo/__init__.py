"""From nothing to your own events, read back out of a stream, on an embedded AWS: `python -m demo`."""
