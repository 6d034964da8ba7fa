"""A request as the reader hands it on."""

from collections.abc import Callable, Sequence
from operator import itemgetter
from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    from headgate.ingest.answers import Answer

KEPT = frozenset(
    {
        b"access-control-request-headers",
        b"authorization",
        b"connection",
        b"content-encoding",
        b"content-length",
        b"expect",
        b"origin",
        b"transfer-encoding",
        b"x-forwarded-for",
    }
)
"""The headers that somebody asks for; no others are kept."""
MAX_READERS, MAX_NAMES_BYTES = 256, 1024
"""How many sets of header names are remembered, and the bytes of one: clients have few, and short ones."""


class Request(msgspec.Struct, eq=False):
    """One HTTP request, its body whole and as it was sent."""

    peer: str
    """The address at the other end of the connection."""
    method: bytes = b""
    target: bytes = b""
    """The request target: path and query."""
    headers: dict[bytes, bytes] = {}
    """By name in lower case, where `KEPT` has it; several of one name are joined with commas."""
    keep_alive: bool = False
    body: bytes = b""
    fault: "Answer | None" = None
    """Set where the request cannot be read, or not to its end: what is wrong with it."""
    held: int = 0
    """The bytes of its body that count as held."""
    connection: bytes = b""
    """Header lines about the connection that its answer has to have."""
    cors: bytes = b""
    """Header lines that let the page which sent it read its answer."""


Lines = Sequence[bytes]
"""Every header's name, and its value after it."""


def kept(lines: Lines) -> dict[bytes, bytes]:
    """Return the headers of a request that are kept."""
    return _reader_of[tuple(lines[::2])](lines)


class _Readers(dict[tuple[bytes, ...], Callable[[Lines], dict[bytes, bytes]]]):
    """What finds the headers that are kept, by the names of all: a client sends the same in each request."""

    def __missing__(self, spellings: tuple[bytes, ...]) -> Callable[[Lines], dict[bytes, bytes]]:
        reader = _reader([spelling.lower() for spelling in spellings])
        if len(self) < MAX_READERS and sum(map(len, spellings)) <= MAX_NAMES_BYTES:
            self[spellings] = reader
        return reader


_reader_of = _Readers()


def _reader(names: Sequence[bytes]) -> Callable[[Lines], dict[bytes, bytes]]:
    found = [(2 * number + 1, name) for number, name in enumerate(names) if name in KEPT]
    once = [name for _, name in found]
    if len(found) > 1 and len(set(once)) == len(found):
        values = itemgetter(*(at for at, _ in found))
        return lambda lines: dict(zip(once, values(lines), strict=True))

    def joined(lines: Lines) -> dict[bytes, bytes]:
        headers: dict[bytes, bytes] = {}
        for at, name in found:
            headers[name] = headers[name] + b"," + lines[at] if name in headers else lines[at]
        return headers

    return joined
