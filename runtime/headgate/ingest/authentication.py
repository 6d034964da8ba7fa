"""Whose request it is: the write key, from the Authorization header or from the body."""

import binascii
from base64 import b64decode


def write_key(authorization: str | None, in_body: str | None) -> str | None:
    """Return the write key of a request; that of Basic authentication goes before the body's.

    The user part of Basic authentication is the write key, with or without the colon after it. A Bearer
    token is not verified: its request has the key in the body.
    """
    scheme, _, value = (authorization or "").partition(" ")
    if scheme.lower() == "basic":
        try:
            user = b64decode(value.strip(), validate=True).decode().partition(":")[0]
        except (binascii.Error, UnicodeDecodeError):
            user = ""
        if user:
            return user
    return in_body or None
