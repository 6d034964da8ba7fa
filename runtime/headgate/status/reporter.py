"""A worker's side: about once a second a report for the page, once a minute metrics for CloudWatch."""

import asyncio
import logging
import os
import socket
import sys
from collections.abc import Callable
from typing import cast

import msgspec

from headgate.metrics.emf import EmfLog
from headgate.metrics.store import Metrics
from headgate.status.report import Report

log = logging.getLogger(__name__)

REPORT_SECONDS = 1.0
EMF_SECONDS = 60.0

encode = msgspec.json.Encoder().encode
decode = msgspec.json.Decoder(Report).decode


class Parent(asyncio.Protocol):
    """The parent at the other end of a socket. It ends when the parent does, however that comes about."""

    def __init__(self, gone: Callable[[], None]) -> None:
        self._gone = gone
        self._transport: asyncio.WriteTransport | None = None

    @classmethod
    async def connected(cls, channel: socket.socket, gone: Callable[[], None]) -> "Parent":
        """Return the parent behind `channel`; `gone` is called when there is none any more."""
        loop = asyncio.get_running_loop()
        _, parent = await loop.create_unix_connection(lambda: cls(gone), sock=channel)
        return parent

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin; asyncio calls this."""
        self._transport = cast("asyncio.WriteTransport", transport)

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002  # asyncio's signature
        """End; asyncio calls this."""
        self._transport = None
        self._gone()

    def take(self, report: Report) -> None:
        """Send a report, a line of JSON; drop it where the parent has not read the last one yet."""
        if self._transport is not None and not self._transport.get_write_buffer_size():
            self._transport.write(encode(report) + b"\n")


class Reporter:
    """Tells what `report` returns and what `metrics` hold, until it is cancelled and closed."""

    def __init__(
        self, metrics: Metrics, emf: EmfLog, report: Callable[[], Report], now: Callable[[], float]
    ) -> None:
        self._metrics = metrics
        self._emf = emf
        self._report = report
        self._now = now

    async def run(self, take: Callable[[Report], None]) -> None:
        """Report for as long as this runs."""
        loop = asyncio.get_running_loop()
        next_emf = loop.time() + EMF_SECONDS
        while True:
            try:
                take(self._report())
                if loop.time() >= next_emf:
                    next_emf += EMF_SECONDS
                    self._emf.tell(self._metrics, self._now())
            except Exception:  # a defect in what is told must not end the telling of all else
                log.exception("a report failed in a way nobody foresaw")
            await asyncio.sleep(REPORT_SECONDS)

    def close(self) -> None:
        """Tell CloudWatch the last of it."""
        self._emf.tell(self._metrics, self._now())


def emf_log(service: str) -> EmfLog:
    """Return the one that writes to standard output, under the name of the service."""
    return EmfLog(service, _write)


def _write(line: bytes) -> None:
    # One write a line: those of several workers do not mix.
    try:
        while line:
            line = line[os.write(sys.stdout.fileno(), line) :]
    except OSError as fault:
        reason = (fault.strerror or str(fault)).lower()
        log.warning("metrics cannot be written to standard output", extra={"reason": reason})
