"""Records for the tests of the pure parts."""

from headgate.delivery.lanes import Held, Lanes
from headgate.delivery.submission import Record, Submission
from headgate.delivery.target import Target

TARGET = Target("src", "us-west-2", "events", None, "src")


def submission() -> Submission:
    return Submission(lambda _: None, 0.0)


def made(lanes: Lanes, key: str, size: int = 10, of: Submission | None = None) -> Record:
    """Return a record for a key, `size` bytes of data and key together, not queued yet."""
    slot = lanes.keys[key].slot
    return Record(key, b"x" * (size - len(key)), of or submission(), 0, slot, lanes.lane(slot), size)


def queued(lanes: Lanes, *keys: str, size: int = 10) -> list[Record]:
    records = [made(lanes, key, size) for key in keys]
    lanes.add(records)
    return records


def new_lanes() -> Lanes:
    return Lanes(Held())
