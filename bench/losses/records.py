"""Records that tell their own order."""

import random
from collections.abc import Iterator

BYTES = 800
OVERSIZE = 1_200_000
"""More than a stream takes that was made without a word about it: 1 MiB."""


def numbered(keys: int, records: int, oversize: int | None = None) -> Iterator[tuple[str, bytes]]:
    """Yield partition keys and data; data begins with the record's number, and one may be too large."""
    spread = random.Random(2)
    for number in range(records):
        size = OVERSIZE if number == oversize else BYTES
        yield f"user-{spread.randrange(keys):06}", b"%-*d" % (size, number)
