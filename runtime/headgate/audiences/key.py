"""The key of an audience or a computed trait: the trait that its identify calls carry."""

import re

from headgate.errors import UsageError

MAX_LENGTH = 255
"""Characters of a key, as Segment has it."""

_OUTSIDE = re.compile(r"[^a-z0-9]")


def key_of(name: str) -> str:
    """Return the key of the audience or trait `name`: `Order completed` becomes `order_completed`.

    Each character outside `a-z 0-9` of the name in lower case becomes one `_`, so names may share a key.

    Raises:
        UsageError: the name has no letter or digit of `a-z 0-9`, or more than 255 characters.
    """
    key = _OUTSIDE.sub("_", name.lower())
    if not key.strip("_"):
        raise UsageError(f"the name {name!r:.100} has no key; it needs a letter or a digit of a-z and 0-9")
    if len(key) > MAX_LENGTH:
        raise UsageError(f"the name {name!r:.100} has {len(key):,} characters; allowed: {MAX_LENGTH}")
    return key
