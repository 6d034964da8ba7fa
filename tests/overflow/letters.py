"""Letters as tests make them."""

import json
from datetime import UTC, datetime

from headgate.overflow.dead_letters import DeadLetter, letter
from headgate.overflow.origin import Origin

TIME = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
EVENTS = Origin(source_id="src", region="us-west-2", stream_name="events", role_address=None)
OTHERS = Origin(source_id="another", region="us-west-2", stream_name="others", role_address=None)


def a_letter(
    origin: Origin | None = EVENTS,
    key: str = "user-1",
    data: bytes | None = None,
    *,
    code: str = "too_large",
    message: str = "no good",
    time: datetime = TIME,
) -> DeadLetter:
    """Return a letter whose event has its partition key as its message ID, unless its data is given."""
    content = json.dumps({"type": "track", "messageId": key}).encode() if data is None else data
    return letter(origin, (key, content), code=code, message=message, time=time)
