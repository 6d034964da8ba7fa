"""What the demo shows: one line a step, and a table; plain in a pipe, and whole on a narrow terminal."""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from demo.read_back import telling_part

_WIDTH_OF_TABLE = 110
_WORTH_TELLING = 0.1


class Screen:
    """The demo's output.

    Args:
        console: where it goes.
        clock: seconds, monotonic.
    """

    def __init__(self, console: Console, clock: Callable[[], float] = time.monotonic) -> None:
        self.console = console
        self._clock = clock
        unicode = console.encoding.startswith("utf")
        self._done, self._failed = ("✓", "✗") if unicode else ("ok", "failed")
        self._spinner = "dots" if unicode else "line"

    @contextmanager
    def step(self, doing: str) -> Iterator[Callable[[str], None]]:
        """Show a step while it lasts, and how long it took; what the block gets adds a detail."""
        began = self._clock()
        details: list[str] = []
        try:
            with self.console.status(Text(doing), spinner=self._spinner):
                yield details.append
        except BaseException:
            self.console.print(Text.assemble((self._failed, "bold red"), " ", doing))
            raise
        seconds = self._clock() - began
        took = f"  {seconds:.1f} s" if seconds >= _WORTH_TELLING else ""
        self.console.print(Text.assemble((self._done, "bold green"), " ", doing, (took, "dim")))
        for detail in details:
            self.console.print(Text("  " + detail, "dim"), soft_wrap=not self.console.is_terminal)

    def records(self, records: Sequence[Mapping[str, Any]]) -> None:
        """Show records: type, shard, sequence number, partition key and event."""
        names = ("type", "shard", "sequence number", "partition key", "event")
        styles = ("bold magenta", "cyan", "dim", "green", "")
        rows = [
            (
                record["event"]["type"],
                record["shardId"],
                record["sequenceNumber"],
                record["partitionKey"],
                telling_part(record["event"]),
            )
            for record in records
        ]
        self.console.print()
        if self.console.width < _WIDTH_OF_TABLE:
            for row in rows:
                grid = Table.grid(padding=(0, 2, 0, 0))
                grid.add_column(style="dim", no_wrap=True)
                grid.add_column(overflow="fold")
                for name, style, cell in zip(names, styles, row, strict=True):
                    grid.add_row(name, Text(cell, style))
                self.console.print(grid)
                self.console.print()
            return
        table = Table(box=None, pad_edge=False, header_style="bold", padding=(0, 2, 0, 0))
        for name, style in zip(names, styles, strict=True):
            table.add_column(name, style=style, no_wrap=name == "type", overflow="fold")
        for row in rows:
            table.add_row(*map(Text, row))
        self.console.print(table)
        self.console.print()
