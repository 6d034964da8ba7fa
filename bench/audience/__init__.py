"""What a sync of an audience costs: the difference between two snapshots, and its calls."""
