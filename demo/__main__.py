"""Runs the demo, or the console on a running system. Exit status: 1 on failure, 128 + the signal.

`python -m demo` ends with 0 only when every event came back as it was sent, `python -m demo console` when its
user has ended it.
"""

import os
import signal
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from types import FrameType

_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
_WIDTH_IN_PIPE = 160


def main(arguments: Sequence[str]) -> int:
    """Run what is asked for and return its exit status."""
    for signum in _SIGNALS:
        signal.signal(signum, _end)
    # Only now, because these take a moment, in which a signal would be a traceback.
    from botocore.exceptions import BotoCoreError, ClientError
    from rich.console import Console

    from demo.processes import DemoError
    from demo.screen import Screen

    if arguments == ["console"]:
        from demo.console import show
    else:
        from demo.story import show

    console = Console(highlight=False)
    if not console.is_terminal:
        console = Console(highlight=False, width=_WIDTH_IN_PIPE)
    try:
        with tempfile.TemporaryDirectory(prefix="headgate-demo-") as directory:
            show(Screen(console), Path(directory))
    except (DemoError, BotoCoreError, ClientError) as error:
        print("demo:", " ".join(str(error).split()), file=sys.stderr)  # noqa: T201
        return 1
    return 0


def _end(signum: int, _frame: FrameType | None) -> None:
    # Once is enough: the ends of the blocks that this leaves must run whole, and none of them takes long.
    for other in _SIGNALS:
        signal.signal(other, signal.SIG_IGN)
    # Not print: the signal may have come in the midst of one.
    os.write(2, b"demo: interrupted; stopping all that was started\n")
    sys.exit(128 + signum)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
