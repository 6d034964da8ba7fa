"""Whose request it is: the write key, from the Authorization header or from the body."""

import binascii
from base64 import b64decode
from functools import lru_cache


@lru_cache(maxsize=4096)  # a client sends the same line again and again
def write_key(authorization: bytes | None) -> str | None:
    """Return the write key that an Authorization header gives; it goes before the body's.

    The user part of Basic authentication is the write key, with or without the colon after it. A Bearer
    token is not verified: its request has the key in the body.
    """
    if authorization is None:
        return None
    scheme, _, value = authorization.partition(b" ")
    if scheme.lower() != b"basic":
        return None
    value = value.strip().rstrip(b"=")
    try:
        # Some clients leave the padding out.
        return b64decode(value + b"=" * (-len(value) % 4), validate=True).decode().partition(":")[0] or None
    except (binascii.Error, UnicodeDecodeError):
        return None
