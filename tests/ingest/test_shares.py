"""Which events each destination of a source gets, under which partition keys; the others are counted."""

import json
from itertools import permutations
from typing import Any

import pytest

from headgate.ingest.outcomes import Kind
from headgate.ingest.shares import sharing
from headgate.settings.schema import CALL_TYPES, Destination, Source
from headgate.spec.event import CALLS
from headgate.spec.prepare import Event
from tests.ingest.serving import request
from tests.ingest.wire import Wire

EVENT = {"userId": "u", "event": "e", "groupId": "g", "previousId": "p", "messageId": "m"}
DESTINATIONS = (
    Destination(stream_name="all"),
    Destination(stream_name="tracks", event_types=("track",), partition_key="properties.order_id"),
    Destination(stream_name="people", event_types=("identify", "group", "alias"), partition_key="messageId"),
    Destination(stream_name="screens", event_types=("screen", "screen"), use_message_id=True),
    Destination(stream_name="off", event_types=("page",), enabled=False),
)
TAKEN: dict[str, set[str]] = {
    "all": set(CALL_TYPES),
    "tracks": {"track"},
    "people": {"identify", "group", "alias"},
    "screens": {"screen"},
    "off": set(),
}


def wire_of(*destinations: Destination) -> Wire:
    wire = Wire()
    wire.api.take({"wk": Source(id="src", write_keys=("wk",), destinations=destinations)})
    return wire


def post(wire: Wire, path: str, body: dict[str, Any]) -> dict[str, Any]:
    wire.send(request(path, json.dumps(body).encode(), keep=True))
    answer = wire.answers[-1]
    assert answer.status == 200
    return answer.body


def delivered(wire: Wire) -> dict[str, list[tuple[int, str]]]:
    """Number and partition key of each record of the last request, by stream."""
    portions = wire.delivery.given[-1] if wire.delivery.given else {}
    assert all(portions.values())
    return {
        target.stream_name: [(data.number, data.partition_key) for data in portion]
        for target, portion in portions.items()
    }


def counted(wire: Wire, kind: Kind) -> dict[str | None, int]:
    return {name: total for (each, name, _), total in wire.api.outcomes.totals.items() if each is kind}


@pytest.mark.parametrize("call", CALL_TYPES)
@pytest.mark.parametrize("way", ["call", "short", "batch", "pixel"])
def test_every_call_goes_to_the_destinations_that_take_it_however_it_comes(way: str, call: str) -> None:
    wire = wire_of(*DESTINATIONS)
    if way == "batch":
        post(wire, "/v1/batch", {"batch": [EVENT | {"type": call}]})
    elif way == "pixel":
        query = "&".join(f"{key}={value}" for key, value in EVENT.items())
        wire.send(request(f"/v1/pixel/{call}?writeKey=wk&type=none&{query}", method="GET"))
    else:
        post(wire, f"/v1/{call if way == 'call' else call[0]}", EVENT | {"type": "none"})
    takers = {name for name, calls in TAKEN.items() if call in calls}
    keys = {"all": "u", "tracks": "u", "people": "m", "screens": "m"}
    assert delivered(wire) == {name: [(0, keys[name])] for name in takers}
    assert counted(wire, Kind.ACCEPTED) == {"src": 1}
    assert counted(wire, Kind.EXCLUDED) == {f"src/{name}": 1 for name in TAKEN.keys() - takers}


def test_the_events_of_a_batch_part_and_keep_their_order() -> None:
    wire = wire_of(*DESTINATIONS)
    calls = ["screen", "track", "identify", "track", "page", "alias", "track"]
    batch = [
        EVENT | {"type": call, "messageId": f"m{number}", "properties": {"order_id": number % 2 or None}}
        for number, call in enumerate(calls)
    ]
    out = EVENT | {"type": "track", "integrations": {"All": False}}
    answer = post(wire, "/v1/batch", {"batch": [*batch, out, {"type": "page"}]})
    assert [each["index"] for each in answer["rejected"]] == [8]
    assert delivered(wire) == {
        "all": [(number, "u") for number in range(7)],
        "tracks": [(1, "1"), (3, "1"), (6, "u")],
        "people": [(2, "m2"), (5, "m5")],
        "screens": [(0, "m0")],
    }
    assert counted(wire, Kind.ACCEPTED) == {"src": 7}
    assert counted(wire, Kind.REJECTED) == {"src": 1}
    assert counted(wire, Kind.EXCLUDED) == {
        "src/all": 1,
        "src/tracks": 5,
        "src/people": 6,
        "src/screens": 7,
        "src/off": 9,
    }


def test_an_event_that_no_destination_takes_is_answered_200_and_counted() -> None:
    wire = wire_of(*DESTINATIONS[1:])
    assert post(wire, "/v1/page", EVENT) == {"success": True}
    answer = post(wire, "/v1/batch", {"batch": [EVENT | {"type": "page"}, {"type": "page"}]})
    assert (answer["success"], [each["index"] for each in answer["rejected"]]) == (True, [1])
    assert wire.delivery.given == []
    assert counted(wire, Kind.ACCEPTED) == {}
    kept_out = counted(wire, Kind.EXCLUDED)
    assert kept_out == {"src/tracks": 2, "src/people": 2, "src/screens": 2, "src/off": 3}
    metrics = wire.api.outcomes._metrics.snapshot().destinations
    assert {name: figures.counters["ExcludedEvents"] for name, figures in metrics.items()} == kept_out


def test_an_event_that_is_none_is_rejected_whether_a_destination_takes_its_call_or_not() -> None:
    wire = wire_of(DESTINATIONS[1])
    wire.send(request("/v1/page", b"{}"))
    assert (wire.answers[-1].status, wire.answers[-1].body["code"]) == (400, "no_user_anon_id")


def test_events_count_once_as_accepted_however_many_destinations_take_them() -> None:
    wire = wire_of(*DESTINATIONS[1:3], Destination(stream_name="more", event_types=("track", "alias")))
    post(wire, "/v1/batch", {"batch": [EVENT | {"type": call} for call in CALL_TYPES]})
    assert counted(wire, Kind.ACCEPTED) == {"src": 4}


@pytest.mark.parametrize("order", list(permutations(range(3))))
def test_destinations_that_are_one_stream_share_its_lanes_and_a_requests_order(
    order: tuple[int, ...],
) -> None:
    three = (
        Destination(stream_name="one", event_types=("track",), partition_key="properties.order_id"),
        Destination(stream_name="one", event_types=("identify", "alias"), use_message_id=True),
        Destination(stream_name="one", event_types=("page",)),
    )
    wire = wire_of(*(three[number] for number in order))
    calls = ["page", "track", "screen", "identify", "track"]
    batch = [EVENT | {"type": call, "properties": {"order_id": 1.0}} for call in calls]
    post(wire, "/v1/batch", {"batch": batch})
    assert len(wire.api.targets) == 1
    assert delivered(wire) == {"one": [(0, "u"), (1, "1.0"), (3, "m"), (4, "1.0")]}
    assert counted(wire, Kind.EXCLUDED) == {"src/one": 1}


def test_all_calls_over_several_destinations_of_one_key_are_all_calls() -> None:
    events = [Event(number, b"{}", "m", "u", call) for number, call in enumerate(sorted(CALLS))]
    for shares in (
        [(CALL_TYPES, "messageId")],
        [(CALL_TYPES[:4], "messageId"), (CALL_TYPES[4:], "messageId")],
    ):
        assert [data.number for data in sharing(*shares)(events)] == list(range(6))
        assert {data.partition_key for data in sharing(*shares)(events)} == {"m"}
