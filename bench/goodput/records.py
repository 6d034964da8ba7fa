"""Records that tell their own order."""

import random
from collections.abc import Iterator

BYTES = 800


def numbered(keys: int, records: int) -> Iterator[tuple[str, bytes]]:
    """Yield partition keys and data; data begins with the record's number."""
    spread = random.Random(2)
    for number in range(records):
        yield f"user-{spread.randrange(keys):06}", b"%-*d" % (BYTES, number)
