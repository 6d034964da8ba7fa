"""How soon the console's pages are there, and what it costs to have them open."""
