"""What everybody delivers: random data of 800 bytes, 10,000 partition keys."""

import os
import random
from typing import Any

BYTES = 800
KEYS = 10_000
PREPARED = 20_000
"""Records that differ; more are these again."""


def records(count: int = PREPARED) -> list[tuple[str, bytes]]:
    """Return partition keys and data."""
    spread = random.Random(1)
    return [(f"user-{spread.randrange(KEYS):06}", os.urandom(BYTES)) for _ in range(count)]


def entries(per_request: int) -> list[list[dict[str, Any]]]:
    """Return the same as boto3 takes it: requests of so many records."""
    made = [{"Data": data, "PartitionKey": key} for key, data in records()]
    return [made[at : at + per_request] for at in range(0, len(made), per_request)]
