"""The console's process: on loopback alone, until it is told to stop."""

import asyncio
import logging
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import uvicorn
from botocore.session import Session

from headgate.console.app import console
from headgate.console.desk import ConsoleOptions
from headgate.console.entry import Door
from headgate.console.guard import ENTER, SECRET
from headgate.console.pages import VENDOR
from headgate.errors import HeadgateError
from headgate.server import listen

HOST = "127.0.0.1"
_CLOSE_WITHIN = 1
"""Seconds that open pages have to take what they are being told, when the console ends."""


def serve(
    options: ConsoleOptions, session: Session, port: int, ready: Callable[[Callable[[], str]], None]
) -> None:
    """Serve the console until SIGTERM or SIGINT.

    Args:
        options: what it is opened on.
        session: with the operator's credentials.
        port: where it listens on loopback; 0 for any that is free.
        ready: called on the event loop once it answers, with what makes the links that let browsers in.

    Raises:
        UsageError: the port cannot be had, or the sources are at no such location.
        HeadgateError: the installation lacks what the pages run in the browser.
    """
    if not (VENDOR / "htmx.min.js").exists():
        raise HeadgateError(
            "this installation lacks the scripts of the console's pages; install a wheel built after "
            "`make setup`, or run that in the checkout"
        )
    door = Door(time.monotonic)
    listening = listen(HOST, port, "give another --port")
    port = listening.getsockname()[1]
    app = console(options, session, door, frozenset({f"{HOST}:{port}", f"localhost:{port}"}))
    config = uvicorn.Config(
        app,
        http="httptools",
        loop="uvloop",
        lifespan="on",
        log_level=logging.CRITICAL,
        access_log=False,
        server_header=False,
        date_header=False,
        timeout_graceful_shutdown=_CLOSE_WITHIN,
    )
    _Server(config, lambda: ready(lambda: f"http://{HOST}:{port}{ENTER}?{SECRET}={door.link()}")).run(
        sockets=[listening]
    )


class _Server(uvicorn.Server):
    """Tells when it answers, and takes a signal for what it is: the order to end, and no error."""

    def __init__(self, config: uvicorn.Config, ready: Callable[[], None]) -> None:
        super().__init__(config)
        self._ready = ready

    async def startup(self, sockets: list[object] | None = None) -> None:  # type: ignore[override]
        """Begin to answer."""
        await super().startup(sockets)  # type: ignore[arg-type]
        if self.started:
            self._ready()

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Take SIGTERM and SIGINT while it serves."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self.handle_exit, number, None)
        yield
