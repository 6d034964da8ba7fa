"""What an answer of Kinesis does to the lanes: settle what went through, return the rest to its place."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from operator import attrgetter

from headgate import backoff
from headgate.delivery.lanes import Lane, Lanes
from headgate.delivery.pace import cost
from headgate.delivery.packer import Parcel, Portion
from headgate.delivery.submission import Record
from headgate.delivery.wire.faults import Verdict, judge
from headgate.delivery.wire.messages import Answer

FIRST_SECONDS, LONGEST_SECONDS = 0.05, 2.0
"""Backoff of a lane of which nothing went through."""

_submission = attrgetter("submission")


@dataclass(frozen=True, slots=True)
class Settled:
    """How many records of a request went through, were throttled, and are sent again for any reason."""

    delivered: int
    throttled: int
    again: int


def settle(lanes: Lanes, parcel: Parcel, answer: Answer, now: float, spread: float) -> Settled:
    """Settle each record of a request by its own part of the answer.

    Args:
        lanes: the destination's lanes.
        parcel: what the request carried.
        answer: what Kinesis said of each record.
        now: the time by the clock of the lanes.
        spread: a random number from 0 to 1, for backoffs.
    """
    failed = answer.failed
    throttled = 0
    for portion in parcel.portions:
        lane = portion.lane
        lane.in_flight -= portion.end - portion.start
        if not failed:
            _all_through(lane, portion, now)
        else:
            throttled += _some_through(lanes, parcel, portion, failed, now, spread)
        _learn(lanes, parcel, portion, answer.shard_ids)
        lanes.settle_moves(lane)
    # The lanes are as they will be before any client is told: telling one may bring its next request.
    through = parcel.records
    if failed:
        through = [record for index, record in enumerate(through) if index not in failed]
    for record in through:
        record.settled = True
    for submission, records in Counter(map(_submission, through)).items():
        if not submission.given_up:
            submission.close(records)
    return Settled(len(parcel.records) - len(failed), throttled, len(failed))


def give_back(lanes: Lanes, parcel: Parcel) -> None:
    """Return all records of a request that failed as a whole to their places."""
    for portion in parcel.portions:
        portion.lane.in_flight -= portion.end - portion.start
        lanes.put_back(portion.lane, parcel.records[portion.start : portion.end])
        lanes.settle_moves(portion.lane)


def give_up(lanes: Lanes, parcel: Parcel) -> Record:
    """Take a request's only record, which can never be delivered, out of its lane, and return it."""
    [record], [portion] = parcel.records, parcel.portions
    portion.lane.in_flight -= 1
    portion.lane.settled(record.size)
    lanes.settle_moves(portion.lane)
    record.settled = True
    return record


def hold_back(parcel: Parcel, now: float, spread: float) -> None:
    """Let the lanes of a request wait before they send again."""
    for portion in parcel.portions:
        _back_off(portion.lane, now, spread)


def _all_through(lane: Lane, portion: Portion, now: float) -> None:
    records = portion.end - portion.start
    lane.settled(portion.size)
    lane.failures = 0
    lane.pace.accepted(cost(records, portion.size), now)


def _some_through(
    lanes: Lanes, parcel: Parcel, portion: Portion, failed: Mapping[int, str], now: float, spread: float
) -> int:
    """Settle a portion of which records may have failed; return how many were throttled."""
    lane = portion.lane
    again: list[Record] = []
    throttled = size_again = 0
    for index in range(portion.start, portion.end):
        code = failed.get(index)
        if code is not None:
            again.append(parcel.records[index])
            size_again += parcel.records[index].size
            throttled += judge(code) is Verdict.THROTTLED
    through = portion.end - portion.start - len(again)
    lane.settled(portion.size - size_again)
    lane.pace.accepted(cost(through, portion.size - size_again), now)
    if throttled:
        lane.throttled += throttled
        lane.pace.throttled(throttled / (through + throttled), now)
    if through:
        lane.failures = 0
    else:
        _back_off(lane, now, spread)
    lanes.put_back(lane, again)
    return throttled


def _back_off(lane: Lane, now: float, spread: float) -> None:
    lane.failures += 1
    wait = backoff.seconds(lane.failures, spread, first=FIRST_SECONDS, longest=LONGEST_SECONDS)
    lane.blocked_until = now + wait


def _learn(lanes: Lanes, parcel: Parcel, portion: Portion, shard_ids: Sequence[str | None]) -> None:
    lane = portion.lane
    here = shard_ids[portion.start : portion.end]
    if lane.shard_id is not None and here.count(lane.shard_id) == len(here):
        return
    for index, shard_id in enumerate(here, start=portion.start):
        if shard_id is not None:
            lanes.landed(lane, parcel.records[index].slot, shard_id)
