"""Sources and their destinations: what they are, and where they are read from."""
