"""A request's body: one call, or a batch of them."""

from typing import NamedTuple

import msgspec


class Malformed(Exception):  # noqa: N818  # an answer to the client
    """The body is not what the HTTP API takes; the text says why."""


class Body(NamedTuple):
    """What a request brought."""

    events: list[bytes]
    """Each event's JSON, byte for byte."""
    write_key: str | None
    sent_at: str | None


class _Head(msgspec.Struct, rename="camel"):
    batch: list[msgspec.Raw] | None = None
    write_key: str | None = None
    sent_at: str | None = None


class _ItemHead(msgspec.Struct, rename="camel"):
    write_key: str | None = None


_decode_head = msgspec.json.Decoder(_Head).decode
_decode_item = msgspec.json.Decoder(_ItemHead).decode


def read(text: bytes, *, batch: bool) -> Body:
    """Return the events of a request's body and what is said of all of them.

    Args:
        text: the body, decompressed.
        batch: whether the path takes a batch.

    Raises:
        Malformed: the body is not JSON in UTF-8, not an object, or a batch without events.
    """
    try:
        text.decode()
        head = _decode_head(text)
    except UnicodeDecodeError as error:
        raise Malformed(f"the body is not UTF-8: byte {error.start}") from None
    except msgspec.ValidationError as error:
        raise Malformed(f"the body is not what this path takes: {error}") from None
    except (msgspec.DecodeError, RecursionError) as error:
        raise Malformed(f"the body is not valid JSON: {error}") from None
    if not batch:
        return Body([text], head.write_key, head.sent_at)
    if not head.batch:
        raise Malformed("batch is missing or empty; allowed: a list of one event or more")
    events = [bytes(event) for event in head.batch]
    return Body(events, head.write_key or _write_key_of(events[0]), head.sent_at)


def _write_key_of(event: bytes) -> str | None:
    """Return an item's own write key: browsers write it there."""
    try:
        return _decode_item(event).write_key
    except msgspec.DecodeError:
        return None
