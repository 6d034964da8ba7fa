"""How much of throttling shards' limits is used, and what becomes of a key's order."""
