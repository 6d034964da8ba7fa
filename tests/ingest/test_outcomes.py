"""Every outcome is counted, and what goes wrong is logged once in a while and without content."""

import json
import logging
from typing import Any

import pytest

from headgate.delivery.submission import Outcome, Refusal
from headgate.ingest.outcomes import Kind, Outcomes
from headgate.metrics import names
from headgate.metrics.histogram import bucket_of
from headgate.metrics.store import Metrics
from headgate.status.report import SourceStatus
from tests.ingest.serving import OFF, SLOW, SOURCE, TRACK, request
from tests.ingest.wire import Wire

EVENT = json.dumps(TRACK).encode()


def sent(
    body: dict[str, Any] | bytes, *headers: str, path: str = "/v1/track", wire: Wire | None = None
) -> dict[Any, int]:
    wire = wire or Wire()
    wire.api.take({key: each for each in (SOURCE, OFF, SLOW) for key in each.write_keys})
    text = body if isinstance(body, bytes) else json.dumps(body).encode()
    wire.send(request(path, text, *headers, auth=False, keep=True))
    return dict(wire.api.outcomes.totals)


def test_each_outcome_of_a_request_is_counted_under_its_source_and_code() -> None:
    good = {"writeKey": "wk", **TRACK}
    assert sent(good) == {(Kind.ACCEPTED, "src", None): 1}
    assert sent({"writeKey": "wk_off", **TRACK}) == {(Kind.EXCLUDED, "off/x", None): 1}
    assert sent(TRACK) == {(Kind.UNKNOWN_KEY, None, None): 1}
    assert sent(b"{") == {(Kind.UNREADABLE, None, "400"): 1}
    assert sent(b" " * 600_000) == {(Kind.UNREADABLE, None, "413"): 1}
    typed = {"type": "track", **TRACK}
    batch = {"writeKey": "wk", "batch": [typed, {"type": "track"}, 3, typed]}
    assert sent(batch, path="/v1/batch") == {
        (Kind.ACCEPTED, "src", None): 2,
        (Kind.REJECTED, "src", "no_user_anon_id"): 1,
        (Kind.REJECTED, "src", "bad_request"): 1,
    }
    many = {"writeKey": "wk", "batch": [3] * 2_501}
    assert sent(many, path="/v1/batch") == {(Kind.REJECTED, "src", "too_large"): 2_501}
    slow = Wire()
    sent({"writeKey": "wk_slow", **TRACK}, wire=slow)
    assert sent({"writeKey": "wk_slow", **TRACK}, wire=slow)[Kind.RATE_LIMITED, "slow", None] == 1


def test_what_delivery_says_is_counted_too() -> None:
    good = {"writeKey": "wk", **TRACK}
    wire = Wire()
    wire.delivery.outcome = Outcome(unavailable=Refusal("deadline", "late", 5))
    assert sent(good, wire=wire) == {
        (Kind.ACCEPTED, "src", None): 1,
        (Kind.UNAVAILABLE, "src", "deadline"): 1,
    }
    wire = Wire()
    wire.delivery.outcome = Outcome(undeliverable={0: Refusal("undeliverable", "never")})
    assert sent(good, wire=wire) == {
        (Kind.ACCEPTED, "src", None): 1,
        (Kind.UNDELIVERABLE, "src", "undeliverable"): 1,
    }
    wire = Wire()
    wire.delivery.refusal = Refusal("destination_paused", "paused", 5)
    assert sent(good, wire=wire) == {(Kind.UNAVAILABLE, "src", "destination_paused"): 1}
    wire = Wire()
    wire.delivery.refusal = Refusal("memory_full", "full", 5)
    assert sent(good, wire=wire) == {(Kind.REFUSED, "src", "memory_full"): 1}


def test_cloudwatch_is_told_without_sources_and_the_page_with_them() -> None:
    metrics = Metrics()
    clock = [0.0]
    wire = Wire(outcomes=Outcomes(metrics, lambda: clock[0]))
    wire.delivery.hold = []
    batch = {"writeKey": "wk", "batch": [{"type": "track", **TRACK}, 3, {"type": "track"}]}
    sent(batch, path="/v1/batch", wire=wire)
    clock[0] = 0.25
    wire.delivery.hold.pop()(Outcome())
    sent({"writeKey": "wk_off", **TRACK}, wire=wire)
    wire.delivery.refusal = Refusal("lane_full", "full", 5)
    sent({"writeKey": "wk", **TRACK}, wire=wire)
    wire.delivery.refusal = Refusal("destination_paused", "paused", 5)
    sent({"writeKey": "wk", **TRACK}, wire=wire)
    wire.send(request("/v1/pixel/track?data=x", method="GET", auth=False))
    told = metrics.snapshot()
    assert told.service.counters == {
        names.ACCEPTED_EVENTS.name: 1,
        names.REJECTED_EVENTS.name: 2,
        names.RATE_LIMITED_REQUESTS.name: 0,
        names.REFUSED_REQUESTS.name: 1,
        names.UNAVAILABLE_REQUESTS.name: 1,
        names.LOST_PIXEL_EVENTS.name: 1,
    }
    assert told.destinations["off/x"].counters == {names.EXCLUDED_EVENTS.name: 1}
    [(bucket, count)] = told.service.distributions[names.ACKNOWLEDGEMENT_LATENCY.name].items()
    assert (bucket, count) == (bucket_of(250), 1)
    assert wire.api.outcomes.sources == {"src": SourceStatus(1, {"bad_request": 1, "no_user_anon_id": 1})}


def lines(caplog: pytest.LogCaptureFixture) -> list[tuple[str, Any, Any, Any]]:
    found = [
        (r.getMessage(), *(vars(r).get(name) for name in ("source", "count", "codes")))
        for r in caplog.records
    ]
    caplog.clear()
    return found


def test_what_goes_wrong_is_logged_at_once_and_then_once_a_minute(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    outcomes = Outcomes(Metrics(), lambda: 0.0)
    outcomes.count(Kind.ACCEPTED, "src", 100)
    outcomes.report(0)
    assert lines(caplog) == []
    outcomes.count(Kind.REJECTED, "src", 2, "no_user_anon_id")
    outcomes.report(1)
    assert lines(caplog) == [("events rejected", "src", 2, {"no_user_anon_id": 2})]
    for second in range(2, 61):
        outcomes.count(Kind.REJECTED, "src", 1, "bad_request")
        outcomes.report(second)
    assert lines(caplog) == []
    outcomes.count(Kind.REJECTED, "other", 1, "bad_request")
    outcomes.report(61)
    assert sorted(lines(caplog)) == [
        ("events rejected", "other", 1, {"bad_request": 1}),
        ("events rejected", "src", 59, {"bad_request": 59}),
    ]
    outcomes.report(1_000)
    assert lines(caplog) == []


def test_no_line_holds_a_write_key_or_anything_of_an_event(caplog: pytest.LogCaptureFixture) -> None:
    wire = Wire()
    for body in ({"writeKey": "wk_secret", "userId": "u_secret"}, {"writeKey": "wk", "secret": 1}, b"secret"):
        sent(body, wire=wire)
    wire.api.outcomes.report(0)
    assert len(caplog.records) == 3
    assert "secret" not in str([vars(record) for record in caplog.records])
