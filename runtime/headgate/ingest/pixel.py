"""Events that an image's URL carries, for mails and pages without scripts."""

from base64 import b64decode
from typing import Any
from urllib.parse import parse_qsl

import msgspec

from headgate.ingest.answers import Answer

MAX_PARAMETERS = 1_000
MAX_DEPTH = 32
"""Dots of one parameter's name; an event is not nested deeper by a link."""

IMAGE = Answer(
    200,
    b"GIF89a\x01\x00\x01\x00\x80\x00\x00\x00\x00\x00\xff\xff\xff!\xf9\x04\x01\x00\x00\x00\x00,"
    b"\x00\x00\x00\x00\x01\x00\x01\x00\x00\x02\x02D\x01\x00;",
    b"Cache-Control: no-store\r\n",
    content_type=b"image/gif",
)
"""A transparent image of one pixel: 43 bytes."""


class Malformed(Exception):  # noqa: N818  # counted, never told to anybody
    """The query is no event."""


def event_of(query: bytes) -> tuple[bytes, str | None]:
    """Return the JSON that a POST would have brought, and the write key where it stands beside it.

    Args:
        query: `data`, the event's JSON as Base64 (either alphabet, with or without padding), or the event's
            members as parameters, whose names have dots: `context.page.path=/pricing`. A parameter is always
            a string: a query has no types.

    Raises:
        Malformed: the query is neither.
    """
    try:
        pairs = parse_qsl(
            query.decode("ascii"), keep_blank_values=True, max_num_fields=MAX_PARAMETERS, errors="strict"
        )
    except ValueError:
        raise Malformed from None
    parameters = dict(pairs)
    data = parameters.get("data")
    event = msgspec.json.encode(_nested(parameters)) if data is None else _json_of(data)
    return event, parameters.get("writeKey")


def _json_of(data: str) -> bytes:
    # A "+" that nobody escaped has become a space.
    text = data.rstrip("=").translate({ord(" "): "-", ord("+"): "-", ord("/"): "_"})
    try:
        return b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except ValueError:
        raise Malformed from None


def _nested(parameters: dict[str, str]) -> dict[str, Any]:
    event: dict[str, Any] = {}
    for name, value in parameters.items():
        *parents, last = name.split(".", MAX_DEPTH + 1)
        place = event
        for parent in parents:
            place = place.setdefault(parent, {})
            if not isinstance(place, dict):
                raise Malformed
        if last in place or "." in last:
            raise Malformed
        place[last] = value
    return event
