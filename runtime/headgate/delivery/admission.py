"""Whether a request's records are taken: all of them are, or none, before any is queued."""

from collections.abc import Iterable

import msgspec

from headgate.delivery.bounds import DeliverySettings
from headgate.delivery.lanes import Held, Lane, Lanes
from headgate.delivery.submission import Record, Refusal, Submission
from headgate.delivery.target import Data


class Admitted(msgspec.Struct):
    """A request's records for one destination, not queued yet."""

    records: list[Record] = []
    size: int = 0
    """Their bytes of data and partition keys."""
    too_large: list[tuple[Data, Refusal]] = []
    """What the stream will never take: in a request to Kinesis it would fail all the others."""
    replaced_keys: int = 0
    """Records whose partition key Kinesis would have refused, so that its hash stands in for it."""


def made(submission: Submission, portion: Iterable[Data], lanes: Lanes, max_size: int) -> Admitted:
    """Return the records of a request's data; of at most `max_size` bytes each, key and data together."""
    admitted = Admitted()
    records, keys, of_slot, total = admitted.records, lanes.keys, lanes.of_slot, 0
    for each in portion:
        key, data = each.partition_key, each.data
        slot, key_size, instead = keys[key]
        if instead is not None:
            key = instead  # from here on there is no other
            admitted.replaced_keys += 1
        size = len(data) + key_size
        if size <= max_size:
            lane = of_slot[slot] or lanes.lane(slot)
            records.append(Record(key, data, submission, each.number, slot, lane, size))
            total += size
        else:
            message = f"the record has {size:,} bytes with its partition key; allowed: {max_size:,}"
            admitted.too_large.append((Data(key, data, each.number), Refusal("too_large", message)))
    admitted.size = total
    return admitted


def over_bounds(name: str, admitted: Admitted, held: Held, settings: DeliverySettings) -> Refusal | None:
    """Return why a destination cannot take these records now; None where it can."""
    if held.size + admitted.size > settings.destination_size:
        return Refusal("destination_full", f"{name} holds all it may; send again later", 5)
    most = settings.lane_size
    for record in admitted.records:
        lane = record.lane
        if lane.pace.rate is not None or lane.held_bytes > most:
            refusal = _full(name, lane, settings)
            if refusal is not None:
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
