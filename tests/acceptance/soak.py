"""How long the long proofs take: in the suite they are short, and `make soak` runs them whole."""

import os

SOAK = bool(os.environ.get("HEADGATE_SOAK"))
OUTAGE_SECONDS = float(os.environ.get("HEADGATE_SOAK_SECONDS", "300")) if SOAK else 8.0
"""Of an outage of Kinesis; eight hours are HEADGATE_SOAK_SECONDS=28800."""
