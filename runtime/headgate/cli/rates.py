"""`headgate tail --stats`: a table that is renewed each second, or a JSON object a second."""

import sys
import time
from collections import deque
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Protocol

import msgspec

from headgate.cli.output import Pipe, console, figures_table
from headgate.reading.rates import Interval, Tally, figures, joined, quantiles
from headgate.reading.record import Record
from headgate.spec.timestamps import render

if TYPE_CHECKING:
    from rich.table import Table

_EVERY = 1.0
_SHOWN_INTERVALS = 5
"""The table is of the last five: at its tip a shard is read once a second, more or less."""


class Display(Protocol):
    """Shows what was read in an interval."""

    def tell(self, interval: Interval) -> None:
        """Show it."""

    def close(self) -> None:
        """Leave the terminal as it was found."""


class RatesScreen:
    """Counts records in place of showing them, and tells once a second."""

    def __init__(self) -> None:
        self._display: Display = _OnTerminal() if sys.stdout.isatty() else _InPipe()
        self._interval = Interval(time.monotonic())

    def show(self, shard_id: str, records: Sequence[Record], millis_behind: int | None) -> None:
        """Count records of a shard."""
        self._interval.add(shard_id, records, millis_behind, time.time())
        self.quiet()

    def quiet(self) -> None:
        """Tell what was read, once a second has gone by."""
        if time.monotonic() >= self._interval.began + _EVERY:
            self._tell()

    def close(self) -> None:
        """Tell what has not been told."""
        if self._interval.shards:
            self._tell()
        self._display.close()

    def _tell(self) -> None:
        now = time.monotonic()
        self._interval.end(now)
        ended, self._interval = self._interval, Interval(now)
        self._display.tell(ended)


class _InPipe:
    def __init__(self) -> None:
        self._pipe = Pipe()

    def tell(self, interval: Interval) -> None:
        self._pipe.write(msgspec.json.encode(_line(interval, datetime.now(UTC))) + b"\n")

    def close(self) -> None:
        """Nothing waits."""


class _OnTerminal:
    def __init__(self) -> None:
        from rich.live import Live

        self._console = console()
        self._last: deque[Interval] = deque(maxlen=_SHOWN_INTERVALS)
        self._live = Live(console=self._console, auto_refresh=False)
        self._live.start()

    def tell(self, interval: Interval) -> None:
        self._last.append(interval)
        self._live.update(_table(joined(self._last), self._console.height), refresh=True)

    def close(self) -> None:
        self._live.stop()


def _line(interval: Interval, now: datetime) -> dict[str, Any]:
    shards = {
        shard_id: figures(tally, interval.seconds) for shard_id, tally in sorted(interval.shards.items())
    }
    return {
        "time": msgspec.Raw(render(now)),
        "seconds": round(interval.seconds, 3),
        **figures(interval.all_shards(), interval.seconds),
        "shards": shards,
    }


def _table(interval: Interval, height: int) -> "Table":
    table = figures_table("shard", ("records/s", "KB/s", "delay, median", "p99", "longest", "behind"))
    busiest = sorted(interval.shards.items(), key=lambda each: -each[1].bytes)
    rows = max(height - 5, 1)
    for shard_id, tally in busiest[:rows]:
        table.add_row(shard_id, *_cells(tally, interval.seconds))
    if len(busiest) > rows:
        table.add_row(f"and {len(busiest) - rows} more", style="dim")
    table.add_row(f"all {len(busiest)}", *_cells(interval.all_shards(), interval.seconds), style="bold")
    return table


def _cells(tally: Tally, seconds: float) -> list[str]:
    delays = quantiles(tally.delays) or (None, None, None)
    behind = None if tally.millis_behind is None else tally.millis_behind / 1000
    return [
        f"{tally.records / seconds:,.0f}",
        f"{tally.bytes / seconds / 1000:,.1f}",
        *(_seconds(delay) for delay in (*delays, behind)),
    ]


def _seconds(seconds: float | None) -> str:
    if seconds is None:
        return "-"
    return f"{seconds:,.0f} s" if abs(seconds) >= 100 else f"{seconds:.2f} s"
