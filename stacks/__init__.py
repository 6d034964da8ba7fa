"""The deployable units: each wires constructs and names outputs, and decides nothing else."""
