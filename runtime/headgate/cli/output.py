"""Where a command's output goes: a terminal, for the eye, or a pipe, as JSON lines."""

import os
import select
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

import typer

from headgate.errors import INTERRUPTED

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table


@contextmanager
def ended_by_its_reader() -> Iterator[None]:
    """End a command quietly when its user interrupts it (130), or nobody reads its output any more (0)."""
    try:
        yield
    except KeyboardInterrupt:
        raise typer.Exit(INTERRUPTED) from None
    except BrokenPipeError:
        # Python would complain when it flushes what is left at its exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


class Pipe:
    """Standard output that is no terminal."""

    def __init__(self) -> None:
        self._reader_left = select.poll()
        self._reader_left.register(sys.stdout.fileno(), 0)

    def write(self, lines: bytes) -> None:
        """Write lines, none of which waits in a buffer; nothing at all only looks whether anybody reads.

        Raises:
            BrokenPipeError: nobody does.
        """
        # A quiet stream writes nothing, so a write alone would never tell that the pipe is closed.
        if any(event & select.POLLERR for _, event in self._reader_left.poll(0)):
            raise BrokenPipeError
        if lines:
            sys.stdout.buffer.write(lines)
            sys.stdout.buffer.flush()


def console(*, error: bool = False, soft_wrap: bool = False) -> "Console":
    """Return the terminal: standard output, or standard error; `soft_wrap` leaves long lines to it."""
    from rich.console import Console

    # rich takes NO_COLOR to the letter and keeps bold and dim; who sets it wants plain text.
    plain = os.environ.get("NO_COLOR")
    return Console(stderr=error, soft_wrap=soft_wrap, highlight=False, color_system=None if plain else "auto")


def figures_table(first: str, others: Sequence[str]) -> "Table":
    """Return a table of a name and its figures."""
    from rich.table import Table

    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column(first, no_wrap=True)
    for title in others:
        table.add_column(title, justify="right")
    return table
