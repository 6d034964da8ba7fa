"""What a sync of an audience costs, and how much of what the shards take it uses."""
