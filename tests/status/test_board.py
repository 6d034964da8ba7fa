import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from headgate.metrics.histogram import bucket_of
from headgate.metrics.snapshot import Figures, Snapshot
from headgate.status.board import Board
from headgate.status.report import DestinationStatus, Pause, Report, SourceStatus


class Clock:
    def __init__(self) -> None:
        self.now = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now


def report(events: int, *, held: int = 0, paused: Pause | None = None, draining: bool = False) -> Report:
    figures = Figures(
        {"DeliveredRecords": events}, {"HeldBytes": held}, {"PutLatency": {bucket_of(20): events}}
    )
    return Report(
        draining,
        Snapshot(Figures({"AcceptedEvents": events}), {"s/e": figures}),
        {"s": SourceStatus(events, {"too_large": 1})},
        {"s/e": DestinationStatus(endpoint="https://kinesis", wire="cbor", paused=paused)},
    )


def page(board: Board) -> dict[str, Any]:
    shown: dict[str, Any] = json.loads(board.page())
    return shown


def test_the_page_shows_the_sum_of_all_workers() -> None:
    board = Board("1.2.3", now=Clock())
    board.started(1)
    board.started(2)
    board.take(1, report(3, held=10))
    board.take(2, report(4, held=5, paused=Pause("AccessDeniedException", "not yours")))
    shown = page(board)
    assert shown["version"] == "1.2.3"
    assert shown["metrics"] == {"AcceptedEvents": 7}
    assert shown["sources"] == {"s": {"accepted": 7, "rejected": {"too_large": 2}}}
    destination = shown["destinations"]["s/e"]
    assert destination["paused"] == {"code": "AccessDeniedException", "reason": "not yours"}
    assert destination["metrics"]["DeliveredRecords"] == 7
    assert destination["metrics"]["HeldBytes"] == 15
    latency = destination["metrics"]["PutLatency"]
    assert latency == {"count": 7} | {name: pytest.approx(20, rel=0.05) for name in ("p50", "p99", "max")}


def test_whoever_asks_for_buckets_is_told_how_many_values_each_has() -> None:
    board = Board("1.2.3", now=Clock())
    board.started(1)
    board.started(2)
    board.take(1, report(3))
    board.take(2, report(4))
    latency = json.loads(board.page(buckets=True))["destinations"]["s/e"]["metrics"]["PutLatency"]
    assert latency["buckets"] == {str(bucket_of(20)): 7}
    assert latency["count"] == 7


def test_a_worker_that_is_gone_counts_on_and_holds_and_pauses_nothing() -> None:
    board = Board("1.2.3", now=Clock())
    board.started(1)
    board.take(1, report(3, held=10, paused=Pause("c", "r")))
    board.ended(1)
    board.started(2, restarts=1)
    board.take(2, report(4))
    shown = page(board)
    assert [(worker["pid"], worker["restarts"]) for worker in shown["workers"]] == [(2, 1)]
    assert shown["metrics"] == {"AcceptedEvents": 7}
    assert shown["sources"]["s"]["accepted"] == 7
    assert shown["destinations"]["s/e"]["paused"] is None
    assert shown["destinations"]["s/e"]["metrics"]["HeldBytes"] == 0
    assert shown["destinations"]["s/e"]["metrics"]["DeliveredRecords"] == 7


def test_a_worker_that_dies_before_its_first_report_leaves_no_trace() -> None:
    board = Board("1.2.3", now=Clock())
    board.started(1)
    board.ended(1)
    assert page(board)["workers"] == []


def test_the_page_tells_how_long_it_has_run_and_whether_it_drains() -> None:
    clock = Clock()
    board = Board("1.2.3", now=clock)
    board.started(1)
    assert page(board)["draining"] is False
    clock.now += timedelta(seconds=90)
    board.take(1, report(1, draining=True))
    shown = page(board)
    assert (shown["uptime_seconds"], shown["draining"]) == (90, True)
    assert shown["workers"] == [{"pid": 1, "since": "2026-01-02T03:04:05+00:00", "restarts": 0}]


def test_what_the_process_that_shows_the_page_counts_itself_is_on_it() -> None:
    board = Board("1.2.3", lambda: Snapshot(Figures({"WorkerRestarts": 2})), Clock())
    assert page(board)["metrics"] == {"WorkerRestarts": 2}
