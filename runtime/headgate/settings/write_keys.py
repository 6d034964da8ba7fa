"""Write keys and their hashes: what a settings table holds in their place, and any store may."""

import hashlib
import re

_PREFIX = "sha256:"
_HASHED = re.compile(r"sha256:[0-9a-f]{64}")
_SHOWN = len(_PREFIX) + 8
_REFERENCE = re.compile(r"sha256:[0-9a-f]{8,64}")


def is_hashed(write_key: str) -> bool:
    """Return whether a write key of the settings is the hash of one."""
    return _HASHED.fullmatch(write_key) is not None


def is_half_hashed(write_key: str) -> bool:
    """Return whether it begins as a hash does and is none, which no client's key is meant to be."""
    return write_key.startswith(_PREFIX) and not is_hashed(write_key)


def hashed(write_key: str) -> str:
    """Return the hash of a write key of the settings, which may be one already."""
    return write_key if is_hashed(write_key) else hash_of(write_key)


def hash_of(write_key: str) -> str:
    """Return the hash of a write key as a client sends it, whatever it looks like."""
    return _PREFIX + hashlib.sha256(write_key.encode("utf-8", "surrogatepass")).hexdigest()


def shown(write_key: str) -> str:
    """Return how lists and the history name a write key of the settings: by the beginning of its hash."""
    return hashed(write_key)[:_SHOWN]


def means(reference: str, write_key: str) -> bool:
    """Return whether a person means this write key: by the key, its hash, or 8 digits of it."""
    if _REFERENCE.fullmatch(reference):
        return hashed(write_key).startswith(reference)
    return hashed(write_key) == hash_of(reference)
