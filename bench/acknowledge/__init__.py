"""How long a client waits for its 200 at a steady rate."""
