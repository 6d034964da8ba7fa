"""Counts the bytecodes that Python runs for Headgate."""

import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import CodeType, FrameType
from typing import Any

import headgate

PACKAGE = f"{Path(headgate.__file__).parent}/"
NOT_COUNTED = (f"{Path(__file__).parents[2]}/", "/asyncio/", "/selectors.py")
"""What drives the work, and asyncio's loop, in whose place the forwarder has uvloop."""


class Bytecodes:
    """How many were run, by room and function.

    What a library does in Python, and what Python generates, counts for the room that called it.
    """

    def __init__(self) -> None:
        self.run: Counter[tuple[str, CodeType]] = Counter()
        self.calls: Counter[tuple[str, CodeType]] = Counter()

    @property
    def rooms(self) -> Counter[str]:
        """Those of each room."""
        rooms: Counter[str] = Counter()
        for (room, _), run in self.run.items():
            rooms[room] += run
        return rooms

    def called(self, frame: FrameType, _event: str, _argument: object) -> Any:
        """Take note of a call, and of all that it runs: what `sys.settrace` takes."""
        room = _room(frame)
        if room is None:
            return None
        function, run = (room, frame.f_code), self.run
        self.calls[function] += 1
        frame.f_trace_opcodes, frame.f_trace_lines = True, False

        def count(_frame: FrameType, event: str, _argument: object) -> Any:
            if event == "opcode":
                run[function] += 1
            return count

        return count


@contextmanager
def counting() -> Iterator[Bytecodes]:
    """Count while the context lasts."""
    bytecodes = Bytecodes()
    sys.settrace(bytecodes.called)
    try:
        yield bytecodes
    finally:
        sys.settrace(None)


def _room(frame: FrameType | None) -> str | None:
    """Return the room that a frame runs for: its own, or that of the nearest caller that has one."""
    while frame is not None:
        name = frame.f_code.co_filename
        if name.startswith(PACKAGE):
            return name[len(PACKAGE) :].partition("/")[0]
        if any(part in name for part in NOT_COUNTED):
            return None
        frame = frame.f_back
    return None
