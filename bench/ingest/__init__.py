"""What an event costs on its way in, beside what its JSON alone costs."""
