"""The paths of Segment's HTTP API that take events."""

import re
from typing import NamedTuple

from headgate.spec.event import CALLS


class Call(NamedTuple):
    """What a path takes."""

    name: str | None
    """The type of its one event; None for a batch, whose events name their own."""
    batch: bool


_BATCH = Call(None, batch=True)
_SHORT = {call[0]: call for call in CALLS}

CALL_OF_NAME = {
    name: Call(call, batch=False) for name, call in [*_SHORT.items(), *((call, call) for call in CALLS)]
}
"""The single calls, under their full and their short names."""

NAMES = CALL_OF_NAME | dict.fromkeys(("batch", "import", "b"), _BATCH)
"""What may stand after `/v1/`; `import` is what older SDKs call a batch."""

CALL_OF_TARGET = {f"/v1/{name}{end}".encode(): call for name, call in NAMES.items() for end in ("", "/")}
"""By request target: no SDK sends a query with it."""

METRICS = (b"/v1/m", b"/v1/m/")
"""What SDKs report of themselves: accepted and dropped."""

PIXEL = b"/v1/pixel/"
SETTINGS = re.compile(rb"/v1/projects/([!-.0-~]+)/settings/?")


def path_of(target: bytes) -> bytes:
    """Return the path of a request target: without query, without the host that a proxy's request names.

    A request target is what stands in the request line: usually a path with or without a query, but any
    server has to take a whole URL too (RFC 9112, 3.2.2).
    """
    if not target.startswith((b"/", b"*")):
        target = b"/" + target.partition(b"://")[2].partition(b"/")[2]
    return target.partition(b"?")[0]
