"""The load of each shard beside its limits, by when its records arrived. Pure: batches are passed in."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from headgate.console.overview.history import HISTORY_SECONDS
from headgate.reading.load import Use
from headgate.reading.reader import Batch
from headgate.reading.sample import Amount

STEP_SECONDS = 5
"""What a figure is the mean of: a reader at the tip is answered about once a second."""
_MOST_STEPS = HISTORY_SECONDS // STEP_SECONDS + 1
_SETTLED_SECONDS = 2.0
"""How far behind its reading a shard is known: its clock and this machine's differ."""
_AWAY_SECONDS = 15.0
"""How long after its last answer a shard was not read in between."""


@dataclass(slots=True)
class _Shard:
    known_from: int
    """The first step that was read whole."""
    read_until: float
    """It has been read up to here, by the time of arrival; seconds since 1970."""
    seen_at: float
    steps: dict[int, Amount] = field(default_factory=dict)
    """By number: a step that was read and had nothing is there too."""


@dataclass(frozen=True, slots=True)
class Load:
    """One shard in its newest step."""

    shard_id: str
    records_per_second: float
    bytes_per_second: float
    use: Use
    peak: Use
    """The use in its busiest step of the last quarter of an hour."""


@dataclass(frozen=True, slots=True)
class Line:
    """One shard over time: a value for each of some steps, None where it was not read."""

    shard_id: str
    records_per_second: Sequence[float | None]
    bytes_per_second: Sequence[float | None]


class StreamLoad:
    """The shards of one stream."""

    def __init__(self) -> None:
        self._shards: dict[str, _Shard] = {}

    def take(self, batch: Batch, now: float) -> None:
        """Count what was read of a shard; reading nothing tells too that there was nothing.

        Args:
            batch: what was read.
            now: when, in seconds since 1970.
        """
        last = batch.records[-1].approximate_arrival_timestamp if batch.records else now
        behind = batch.millis_behind
        read_until = now - behind / 1000 if behind is not None else last
        shard = self._shards.get(batch.shard_id)
        if shard is None or now - shard.seen_at > _AWAY_SECONDS:
            # What arrived before it was looked at is not all of its step.
            known_from = int(read_until // STEP_SECONDS) + 1
            steps = shard.steps if shard is not None else {}
            shard = self._shards[batch.shard_id] = _Shard(known_from, read_until, now, steps)
        for record in batch.records:
            step = int(record.approximate_arrival_timestamp // STEP_SECONDS)
            if step >= shard.known_from:
                shard.steps.setdefault(step, Amount()).add(record.size)
        until = max(shard.read_until, read_until)
        first = max(shard.known_from, int(shard.read_until // STEP_SECONDS))
        for step in range(first, int(until // STEP_SECONDS)):
            shard.steps.setdefault(step, Amount())
        shard.read_until, shard.seen_at = until, now
        while len(shard.steps) > _MOST_STEPS:
            del shard.steps[min(shard.steps)]

    def loads(self, now: float) -> list[Load]:
        """Return how each shard is now, by ID; without those that are not known now."""
        found = []
        for shard_id, steps in self._known(now):
            if now - self._shards[shard_id].seen_at <= _AWAY_SECONDS:
                amount = steps[max(steps)]
                uses = [Use.of(each, STEP_SECONDS) for each in steps.values()]
                found.append(
                    Load(
                        shard_id,
                        amount.records / STEP_SECONDS,
                        amount.bytes / STEP_SECONDS,
                        Use.of(amount, STEP_SECONDS),
                        max(uses, key=lambda use: use.share),
                    )
                )
        return found

    def lines(self, now: float, most: int) -> tuple[list[float], list[Line]]:
        """Return the ends of the steps, in seconds since 1970, and a line for each shard, by ID.

        Args:
            now: the present.
            most: how many shards at most: the busiest.
        """
        known = self._known(now)
        known.sort(key=lambda each: sum(amount.weight for amount in each[1].values()), reverse=True)
        lines = sorted(known[:most], key=lambda each: each[0])
        every = [step for _, steps in lines for step in steps]
        if not every:
            return [], []
        span = range(min(every), max(every) + 1)
        return [float((step + 1) * STEP_SECONDS) for step in span], [
            _line(shard_id, [steps.get(step) for step in span]) for shard_id, steps in lines
        ]

    def _known(self, now: float) -> list[tuple[str, dict[int, Amount]]]:
        """Return the steps of the last while that were read whole, of each shard that has any, by ID."""
        oldest = int((now - HISTORY_SECONDS) // STEP_SECONDS)
        known = []
        for shard_id, shard in sorted(self._shards.items()):
            end = int((shard.read_until - _SETTLED_SECONDS) // STEP_SECONDS)
            steps = {step: amount for step, amount in shard.steps.items() if oldest <= step < end}
            if steps:
                known.append((shard_id, steps))
            elif now - shard.seen_at > HISTORY_SECONDS:
                del self._shards[shard_id]
        return known


def _line(shard_id: str, amounts: Sequence[Amount | None]) -> Line:
    return Line(
        shard_id,
        [each.records / STEP_SECONDS if each else None for each in amounts],
        [each.bytes / STEP_SECONDS if each else None for each in amounts],
    )
