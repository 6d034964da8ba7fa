"""From a request to records, and from their outcome to the answer."""

import json

import pytest

from headgate.delivery.submission import Outcome, Refusal
from headgate.ingest import tracking
from headgate.spec.body import Body
from headgate.spec.prepare import Prepared
from headgate.spec.stamp import Arrival
from tests.ingest.serving import AUTHORIZATION, TRACK, request, serving
from tests.ingest.wire import NOW, Wire


async def test_an_event_goes_to_every_destination_under_its_own_partition_key() -> None:
    async with serving() as client:
        status, _, answer, _ = await client.ask("/v1/track", json.dumps(TRACK).encode())
        assert (status, answer) == (200, {"success": True})
        [portions] = client.delivery.given
        assert {target.stream_name: [d.partition_key for d in data] for target, data in portions.items()} == {
            "one": ["u"],
            "two": ["m"],
        }


async def test_bad_events_of_a_batch_are_named_and_the_good_ones_delivered() -> None:
    events = [
        {**TRACK, "type": "track"},
        {"type": "track"},
        {"type": "page", "userId": "u", "x": "y" * 33_000},
        3,
    ]
    async with serving() as client:
        status, _, answer, _ = await client.ask("/v1/batch", json.dumps({"batch": events}).encode())
        assert status == 200
        assert [(one["index"], one["code"]) for one in answer["rejected"]] == [
            (1, "no_user_anon_id"),
            (2, "too_large"),
            (3, "bad_request"),
        ]
        assert [data.number for data in next(iter(client.delivery.given[0].values()))] == [0]


async def test_what_delivery_says_decides_the_answer() -> None:
    body = json.dumps(TRACK).encode()
    async with serving() as client:
        client.delivery.outcome = Outcome(unavailable=Refusal("deadline", "too late", 5))
        status, headers, answer, _ = await client.ask("/v1/track", body)
        assert (status, headers["Retry-After"], answer["code"]) == (503, "5", "deadline")
        client.delivery.outcome = Outcome(undeliverable={0: Refusal("undeliverable", "never")})
        status, _, answer, _ = await client.ask("/v1/track", body)
        assert (status, answer["code"], answer["rejected"][0]["index"]) == (400, "undeliverable", 0)
        client.delivery.refusal = Refusal("destination_full", "wait", 900)
        status, headers, *_ = await client.ask("/v1/track", body)
        assert (status, headers["Retry-After"]) == (429, "300")


async def test_a_source_above_its_rate_is_asked_to_wait() -> None:
    body = json.dumps(TRACK | {"writeKey": "wk_slow"}).encode()
    async with serving() as client:
        assert (await client.ask("/v1/track", body, auth=False))[0] == 200
        status, headers, answer, _ = await client.ask("/v1/track", body, auth=False)
        assert (status, headers["Retry-After"], answer["code"]) == (429, "1", "too_many_events")


async def test_draining_closes_connections_and_fails_the_health_check() -> None:
    async with serving() as client:
        assert (await client.ask("/healthz", method="GET"))[0] == 200
        client.api.draining = client.connections.draining = True
        status, headers, *_ = await client.ask("/healthz", method="GET")
        assert (status, headers["Connection"]) == (503, "close")


BASIC, BEARER, ORIGIN = AUTHORIZATION, "Authorization: Bearer t", "Origin: https://a.example"
FORWARDED = "X-Forwarded-For: 198.51.100.1, 198.51.100.2"


@pytest.mark.parametrize(
    ("headers", "hops", "client_side", "ip"),
    [
        ([BASIC], 0, False, "203.0.113.7"),
        ([BEARER], 0, False, "203.0.113.7"),
        ([], 0, True, "203.0.113.7"),
        ([ORIGIN], 0, True, "203.0.113.7"),
        ([BASIC, ORIGIN], 0, True, "203.0.113.7"),
        ([BASIC, FORWARDED], 0, False, "203.0.113.7"),
        ([BASIC, FORWARDED], 1, False, "198.51.100.2"),
        ([BASIC, FORWARDED], 2, False, "198.51.100.1"),
        ([BASIC, FORWARDED, "X-Forwarded-For: 198.51.100.3"], 1, False, "198.51.100.3"),
    ],
)
def test_an_arrival_says_who_sent_it_and_from_where(
    headers: list[str], hops: int, client_side: bool, ip: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    arrivals: list[Arrival] = []

    def prepare(body: Body, arrival: Arrival, *_: object) -> Prepared:
        arrivals.append(arrival)
        return Prepared(excluded=len(body.events))

    monkeypatch.setattr(tracking, "prepare", prepare)
    body = {"writeKey": "wk", "sentAt": "2026-11-20T10:00:00Z", **TRACK}
    wire = Wire(forwarded_hops=hops)
    wire.send(request("/v1/t/", json.dumps(body).encode(), *headers, auth=False))
    assert [answer.body for answer in wire.answers] == [{"success": True}]
    assert wire.api.outcomes.totals == {("excluded", f"src/{name}", None): 1 for name in ("one", "two")}
    expected = Arrival(
        received_at=NOW,
        sent_at="2026-11-20T10:00:00Z",
        project_id="src",
        call="track",
        client_side=client_side,
        ip=ip,
    )
    assert arrivals == [expected]


def test_a_pixel_is_always_sent_by_a_client(monkeypatch: pytest.MonkeyPatch) -> None:
    arrivals: list[Arrival] = []

    def prepare(_: Body, arrival: Arrival, *__: object) -> Prepared:
        arrivals.append(arrival)
        return Prepared(excluded=1)

    monkeypatch.setattr(tracking, "prepare", prepare)
    Wire().send(request("/v1/pixel/page?writeKey=wk&userId=u", method="GET", auth=True))
    assert [(each.client_side, each.call) for each in arrivals] == [(True, "page")]
