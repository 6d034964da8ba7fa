"""What an event costs on its way in: the HTTP side as a whole, and what `spec` does of it."""
