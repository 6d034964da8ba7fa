"""What reading a stream costs."""
