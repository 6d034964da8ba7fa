"""The partition key of an event's record."""

import hashlib

from headgate.spec.prepare import Event

MAX_CHARACTERS = 256
"""Kinesis' limit; counted in UTF-8 bytes here, since its implementations differ in what a character is."""


def partition_key(event: Event, *, use_message_id: bool) -> str:
    """Return `userId || anonymousId`, or the message ID. One that Kinesis would refuse becomes its hash."""
    key = event.message_id if use_message_id else event.user
    if key.isascii() and 0 < len(key) <= MAX_CHARACTERS:
        return key
    encoded = key.encode(errors="surrogatepass")
    if 0 < len(encoded) <= MAX_CHARACTERS and encoded.decode(errors="ignore") == key:
        return key
    return hashlib.sha256(encoded).hexdigest()
