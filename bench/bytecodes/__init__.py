"""How much of Python an event costs: the one figure here that is the same in every run."""
