"""What a worker reports about once a second, and how the reports of several become one."""

from collections import Counter
from collections.abc import Iterable
from typing import Literal

import msgspec

from headgate.metrics.snapshot import Snapshot


class Pause(msgspec.Struct, frozen=True):
    """Why a destination is paused."""

    code: str
    """AWS's code, such as ResourceNotFoundException."""
    reason: str
    """AWS's words."""


class Lane(msgspec.Struct, frozen=True):
    """The figures of one lane."""

    shard_id: str | None
    """None until an answer has named it."""
    held_records: int
    held_bytes: int
    pace: float | None
    """What the lane allows itself, 1 for all that one shard takes; None while it is not held back."""
    throttled: int
    """Records that Kinesis throttled since the start."""


Form = Literal["cbor", "json"]


class DestinationStatus(msgspec.Struct, frozen=True, kw_only=True):
    """How a destination is being written to."""

    endpoint: str | None
    """None until it was needed."""
    wire: Form
    """The form of the Kinesis protocol that the endpoint is spoken to in."""
    mode: Literal["batches", "singles"] = "batches"
    """PutRecords, or PutRecord because the role may not send PutRecords."""
    paused: Pause | None = None
    lanes: list[Lane] = []


class SourceStatus(msgspec.Struct):
    """What a source sent since the start. Ingest counts in it."""

    accepted: int = 0
    """Events."""
    rejected: dict[str, int] = {}
    """Events by the code of their rejection."""


class Report(msgspec.Struct, frozen=True):
    """All that one worker tells."""

    draining: bool = False
    snapshot: Snapshot = Snapshot()
    sources: dict[str, SourceStatus] = {}
    """By source ID."""
    destinations: dict[str, DestinationStatus] = {}
    """By name: source ID, slash, stream name."""


def merged_source(statuses: Iterable[SourceStatus]) -> SourceStatus:
    """Return the sums."""
    total, rejected = 0, Counter[str]()
    for status in statuses:
        total += status.accepted
        rejected.update(status.rejected)
    return SourceStatus(total, dict(rejected))


def merged_destination(statuses: Iterable[DestinationStatus]) -> DestinationStatus:
    """Return the worst of what workers say of one destination: one that is paused there is paused."""
    every = list(statuses)
    return DestinationStatus(
        endpoint=next((each.endpoint for each in every if each.endpoint is not None), None),
        wire="json" if any(each.wire == "json" for each in every) else "cbor",
        mode="singles" if any(each.mode == "singles" for each in every) else "batches",
        paused=next((each.paused for each in every if each.paused is not None), None),
        lanes=_merged_lanes(lane for each in every for lane in each.lanes),
    )


def _merged_lanes(lanes: Iterable[Lane]) -> list[Lane]:
    by_shard: dict[str | None, list[Lane]] = {}
    for lane in lanes:
        by_shard.setdefault(lane.shard_id, []).append(lane)
    return [
        Lane(
            shard_id=shard_id,
            held_records=sum(lane.held_records for lane in same),
            held_bytes=sum(lane.held_bytes for lane in same),
            pace=_sum_of_known(lane.pace for lane in same),
            throttled=sum(lane.throttled for lane in same),
        )
        for shard_id, same in sorted(by_shard.items(), key=lambda item: item[0] or "")
    ]


def _sum_of_known(paces: Iterable[float | None]) -> float | None:
    known = [pace for pace in paces if pace is not None]
    return sum(known) if known else None
