"""Whether a request's records are taken: all of them are, or none, before any is queued."""

from collections.abc import Iterable, Sequence

from headgate.delivery.bounds import DeliverySettings
from headgate.delivery.lanes import Held, Lane, Lanes
from headgate.delivery.submission import Record, Refusal, Submission
from headgate.delivery.target import Data


def made(submission: Submission, portion: Iterable[Data], lanes: Lanes, max_size: int) -> list[Record]:
    """Return the records of a request's data, not queued yet.

    What is larger than `max_size`, key and data together, is noted as undeliverable and left out: in a
    request to Kinesis it would fail all the others.
    """
    records = []
    for key, data, number in portion:
        slot, key_size = lanes.keys[key]
        size = len(data) + key_size
        if size <= max_size:
            records.append(Record(key, data, submission, number, slot, lanes.lane(slot), size))
        else:
            message = f"the record has {size:,} bytes with its partition key; allowed: {max_size:,}"
            submission.outcome.undeliverable[number] = Refusal("too_large", message)
    return records


def over_bounds(
    name: str, records: Sequence[Record], held: Held, settings: DeliverySettings
) -> Refusal | None:
    """Return why a destination cannot take these records now; None where it can."""
    if held.size + sum([record.size for record in records]) > settings.destination_size:
        return Refusal("destination_full", f"{name} holds all it may; send again later", 5)
    for lane in {record.lane for record in records}:
        if (refusal := _full(name, lane, settings)) is not None:
            return refusal
    return None


def _full(name: str, lane: Lane, settings: DeliverySettings) -> Refusal | None:
    late = lane.seconds_to_deliver() - settings.acknowledge_within
    if late > 0:
        message = f"a shard of {name} is throttled; send again later"
        return Refusal("lane_full", message, max(1, min(round(late), 300)))
    if lane.held_bytes > settings.lane_size:
        return Refusal("lane_full", f"a lane of {name} holds all it may; send again later", 5)
    return None
