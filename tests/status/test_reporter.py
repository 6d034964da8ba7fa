import asyncio
import os
import socket
from collections.abc import Callable

import pytest

from headgate.metrics import names
from headgate.metrics.emf import EmfLog
from headgate.metrics.store import Metrics
from headgate.status import reporter
from headgate.status.report import Report, SourceStatus
from headgate.status.reporter import Parent, Reporter, decode, emf_log

REPORT = Report(sources={"s": SourceStatus(3)})
LARGE = Report(sources={f"source {number}": SourceStatus(number) for number in range(100_000)})


async def until(ready: Callable[[], object]) -> None:
    async with asyncio.timeout(10):
        while not ready():
            await asyncio.sleep(0.001)


async def test_a_report_reaches_the_parent_as_a_line() -> None:
    ours, channel = socket.socketpair()
    with ours:
        parent = await Parent.connected(channel, lambda: None)
        parent.take(REPORT)
        line = await asyncio.to_thread(ours.recv, 65_536)
    assert line.endswith(b"\n")
    assert decode(line) == REPORT


async def test_a_parent_that_does_not_read_costs_one_report_of_memory_and_no_time() -> None:
    ours, channel = socket.socketpair()
    with ours:
        parent = await Parent.connected(channel, lambda: None)
        for _ in range(100):
            parent.take(LARGE)
        received = b""
        ours.settimeout(0)
        async with asyncio.timeout(30):
            while received.count(b"\n") < 1:
                try:
                    received += ours.recv(1 << 20)
                except BlockingIOError:
                    await asyncio.sleep(0.001)
        await asyncio.sleep(0)
        with pytest.raises(BlockingIOError):
            ours.recv(1)
        assert decode(received) == LARGE
        parent.take(REPORT)
        await asyncio.sleep(0)
        assert decode(ours.recv(65_536)) == REPORT


async def test_a_parent_that_is_gone_is_told_once_and_reports_go_nowhere() -> None:
    ours, channel = socket.socketpair()
    gone: list[bool] = []
    parent = await Parent.connected(channel, lambda: gone.append(True))
    ours.close()
    await until(lambda: gone)
    parent.take(REPORT)
    assert gone == [True]


async def test_reports_go_on_after_one_fails_and_metrics_are_told_at_the_end(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(reporter, "REPORT_SECONDS", 0.001)
    metrics, lines, taken = Metrics(), list[bytes](), list[Report]()
    reports = iter([ZeroDivisionError("once")])

    def report() -> Report:
        for error in reports:
            raise error
        return REPORT

    telling = Reporter(metrics, EmfLog("tests", lines.append), report, lambda: 0.0)
    task = asyncio.create_task(telling.run(taken.append))
    await until(lambda: len(taken) >= 2)
    task.cancel()
    assert "once" in caplog.text
    assert lines == []
    metrics.counter(names.ACCEPTED_EVENTS).value += 1
    telling.close()
    assert len(lines) == 1


async def test_metrics_are_told_every_minute(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reporter, "REPORT_SECONDS", 0.001)
    monkeypatch.setattr(reporter, "EMF_SECONDS", 0.01)
    metrics, lines = Metrics(), list[bytes]()
    count = metrics.counter(names.ACCEPTED_EVENTS)
    telling = Reporter(metrics, EmfLog("tests", lines.append), Report, lambda: 0.0)
    task = asyncio.create_task(telling.run(lambda _: None))
    for wanted in (1, 2):
        count.value += 1
        await until(lambda wanted=wanted: len(lines) == wanted)
    task.cancel()


def test_lines_go_to_standard_output_under_the_services_name(
    capfd: pytest.CaptureFixture[str],
) -> None:
    metrics = Metrics()
    metrics.counter(names.ACCEPTED_EVENTS).value += 1
    emf_log("checkout").tell(metrics, 0)
    assert '"Service":"checkout"' in capfd.readouterr().out


def test_a_standard_output_that_is_closed_is_a_warning(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    with os.fdopen(writing, "w") as closed:
        monkeypatch.setattr("sys.stdout", closed)
        metrics = Metrics()
        metrics.counter(names.ACCEPTED_EVENTS).value += 1
        emf_log("tests").tell(metrics, 0)
    assert [record.__dict__["reason"] for record in caplog.records] == ["broken pipe"]
