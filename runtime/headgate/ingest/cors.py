"""Which pages may send events, and read the answer (Cross-Origin Resource Sharing)."""

import re
from collections.abc import Iterable

from headgate.ingest.answers import SUCCESS, Answer

MAX_AGE_SECONDS = 86_400
"""How long a browser may remember a preflight: Firefox' limit; Chromium stops at 7,200."""
ALLOWED_HEADERS = (b"authorization", b"content-type", b"x-retry-count")
"""What analytics-next sends; a page's own are allowed as they are asked for."""
MAX_ASKED_HEADERS = 50
MAX_REMEMBERED = 1_024

VARY = b"Vary: Origin\r\n"
_EXPOSED = b"Access-Control-Expose-Headers: Retry-After\r\n" + VARY
_TOKEN = re.compile(rb"[a-z0-9!#$%&'*+.^_`|~-]{1,64}")
_LABELS = r"[a-z0-9_-]+(?:\.[a-z0-9_-]+)*"


class Origins:
    """The origins that a source allows: `*`, exact ones, and all subdomains as `https://*.example.com`."""

    def __init__(self, allowed: Iterable[str]) -> None:
        allowed = set(allowed)
        self._any = "*" in allowed
        self._exact = {each for each in allowed if "*" not in each}
        wide = sorted(allowed - self._exact - {"*"})
        named = [re.escape(each).replace(r"\*\.", _LABELS + r"\.", 1) for each in wide]
        self._wide = re.compile("|".join(named) if named else r"(?!)")
        self._lines: dict[bytes, bytes] = {}

    def lines(self, origin: bytes) -> bytes:
        """Return the header lines that let a page of this origin read an answer; none where it may not.

        An origin that is allowed by name may send credentials. `*` allows none: what anybody may send must
        not ride on a visitor's cookies, should a proxy before us look at any.
        """
        lines = self._lines.get(origin)
        if lines is None:
            lines = self._make(origin)
            if len(self._lines) < MAX_REMEMBERED:
                self._lines[origin] = lines
        return lines

    def _make(self, origin: bytes) -> bytes:
        text = origin.decode("latin-1").lower()
        if text in self._exact or self._wide.fullmatch(text):
            return (
                b"Access-Control-Allow-Origin: %b\r\nAccess-Control-Allow-Credentials: true\r\n" % origin
                + _EXPOSED
            )
        return b"Access-Control-Allow-Origin: *\r\n" + _EXPOSED if self._any else b""


def preflight(asked_headers: bytes | None) -> Answer:
    """Return the answer to a preflight: which methods and headers a request may have.

    Args:
        asked_headers: Access-Control-Request-Headers. Each that is a header's name is allowed, up to
            `MAX_ASKED_HEADERS`: pages may be told to send headers of their own.
    """
    asked = (name.strip().lower() for name in (asked_headers or b"").split(b",")[:MAX_ASKED_HEADERS])
    names = dict.fromkeys([*ALLOWED_HEADERS, *(name for name in asked if _TOKEN.fullmatch(name))])
    lines = (
        b"Access-Control-Allow-Methods: GET, HEAD, POST, OPTIONS\r\n"
        b"Access-Control-Allow-Headers: %b\r\nAccess-Control-Max-Age: %d\r\n"
        % (b", ".join(names), MAX_AGE_SECONDS)
    )
    return Answer(SUCCESS.status, SUCCESS.body, lines)
