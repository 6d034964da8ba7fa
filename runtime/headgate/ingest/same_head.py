"""The head that a client sends again and again on one connection, the length of its body aside. Pure.

A client that keeps its connection sends each request under the same head, to the byte, but for
Content-Length. Of bytes that are the same, llhttp would say the same; so they are compared, which costs a
fraction of what it costs to read them again.
"""

import re
from typing import NamedTuple

from headgate.ingest.requests import Request

_MOST_DIGITS = 7
_HEAD = re.compile(
    rb"(?P<before>POST .*?\r\ncontent-length: *)\d{1,%d}(?P<after>\r\n(?:.*?\r\n)?\r\n)" % _MOST_DIGITS,
    re.IGNORECASE | re.DOTALL,
)
_DECIDES = frozenset({b"connection", b"expect", b"transfer-encoding"})
"""Headers that say more of a request's framing, or of what its client waits for."""


class SameHead(NamedTuple):
    """A head that was read, as the bytes before its length and after it, and what it said."""

    before: bytes
    after: bytes
    target: bytes
    headers: dict[bytes, bytes]
    """Those that are kept. The length among them is that of the first body, and framing alone asks for it."""

    def body_in(self, data: bytes) -> tuple[int, int] | None:
        """Return where a body begins and ends, if data begins with the same head and all of its body."""
        before, after = self.before, self.after
        if not data.startswith(before):
            return None
        length_at = len(before)
        length_end = data.find(b"\r", length_at, length_at + _MOST_DIGITS + 1)
        digits = data[length_at:length_end]
        if length_end < 0 or not digits.isdigit() or not data.startswith(after, length_end):
            return None
        start = length_end + len(after)
        end = start + int(digits)
        return (start, end) if start < end <= len(data) else None


def same_head(data: bytes, request: Request) -> SameHead | None:
    """Return the head of a request; None for one that has to be read each time.

    Args:
        data: the bytes of the request, whole and nothing else.
        request: what was read of them.
    """
    if request.fault is not None or not request.keep_alive or not _DECIDES.isdisjoint(request.headers):
        return None
    found = _HEAD.match(data)
    if found is None or found.end() + request.held != len(data):
        return None
    return SameHead(found["before"], found["after"], request.target, request.headers)
