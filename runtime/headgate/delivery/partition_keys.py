"""Partition keys as Kinesis takes them."""

import hashlib

MAX_BYTES = 256
"""Kinesis allows 256 characters; UTF-8 bytes are counted, since its implementations differ in what one is."""


def acceptable(key: str) -> str:
    """Return the key, or its SHA-256 where it is empty, too long, or no text that UTF-8 can hold."""
    if key.isascii() and 0 < len(key) <= MAX_BYTES:
        return key
    encoded = key.encode(errors="surrogatepass")
    if 0 < len(encoded) <= MAX_BYTES and encoded.decode(errors="ignore") == key:
        return key
    return hashlib.sha256(encoded).hexdigest()
