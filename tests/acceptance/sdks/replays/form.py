"""What the replays are made of: requests as bytes, written as an SDK that does not run here writes them."""

import gzip
import json
from base64 import b64encode
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from tests.acceptance.sdks.calls import CALLS, WRITE_KEY

BASIC = {"Authorization": "Basic " + b64encode(f"{WRITE_KEY}:".encode()).decode()}


@dataclass(frozen=True, kw_only=True)
class Replay:
    """What one SDK sends."""

    sdk: str
    version: str
    """The version whose source the form was read from."""
    section: str
    """Of docs/sdks.md."""
    points_at: Sequence[str]
    """The lines there that point the SDK at a forwarder."""
    form: str
    """What is special about it, for the table there."""
    calls: Sequence[str]
    """The types of the calls that it has."""
    requests: Callable[[str], Sequence[bytes]]
    """Returns its requests to a host."""
    settings: Callable[[str], bytes] | None = None
    """Returns the request for its settings, where it asks for them first."""
    verbatim: Sequence[bytes] = ()
    """What has to be in the records byte for byte."""


def request(line: str, host: str, headers: Mapping[str, str], body: bytes = b"") -> bytes:
    """Return a request whose body's form its headers name: compressed, in chunks, or of a length."""
    if headers.get("Content-Encoding") == "gzip":
        body = gzip.compress(body)
    given = dict(headers)
    if given.get("Transfer-Encoding") == "chunked":
        body = _chunks(body)
    elif body:
        given["Content-Length"] = str(len(body))
    head = [f"{line} HTTP/1.1", f"Host: {host}", *(f"{name}: {value}" for name, value in given.items())]
    return "\r\n".join([*head, "", ""]).encode() + body


def events(types: Sequence[str], made: Callable[[str], Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Return one call of each type, with the members that an SDK gives each."""
    return [{**CALLS[type_], **made(type_), "type": type_} for type_ in types]


def compact(value: Any) -> str:
    """Return JSON without white space, and without escapes that it does not need."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def now(timespec: str = "milliseconds") -> str:
    """Return the time in UTC as most SDKs write it: `2026-01-31T23:59:59.123Z`."""
    return datetime.now(UTC).isoformat(timespec=timespec).replace("+00:00", "Z")


def _chunks(body: bytes, size: int = 512) -> bytes:
    pieces = (body[at : at + size] for at in range(0, len(body), size))
    return b"".join(b"%x\r\n%b\r\n" % (len(piece), piece) for piece in pieces) + b"0\r\n\r\n"
