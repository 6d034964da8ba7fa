"""An image's URL that carries an event."""

import json
from base64 import b64encode, urlsafe_b64encode
from typing import Any
from urllib.parse import quote

import pytest

from headgate.delivery.submission import Outcome, Refusal
from headgate.ingest import pixel
from headgate.ingest.outcomes import Kind
from tests.ingest.serving import request
from tests.ingest.wire import Wire

EVENT = {
    "writeKey": "wk",
    "userId": "ü??>>~~~?",
    "event": "Email Opened",
    "messageId": "m",
    "properties": {"n": 1.50},
}
DATA = json.dumps(EVENT, ensure_ascii=False).encode()


def get(query: str, *, call: str = "track", method: str = "GET", wire: Wire | None = None) -> Wire:
    wire = (wire or Wire()).send(request(f"/v1/pixel/{call}?{query}", method=method, auth=False, keep=True))
    answer = wire.answers[-1] if method == "GET" else None
    if answer is not None:
        assert (answer.status, answer.headers["Content-Type"], len(answer.text)) == (200, "image/gif", 43)
        assert answer.headers["Cache-Control"] == "no-store"
        assert (answer.text[:6], answer.text[-1:]) == (b"GIF89a", b";")
    return wire


def delivered(wire: Wire) -> dict[str, Any]:
    [given] = wire.delivery.given
    return dict(json.loads(next(iter(given.values()))[0].data))


def lost(wire: Wire) -> int:
    return sum(count for (kind, *_), count in wire.api.outcomes.totals.items() if kind is Kind.PIXEL_LOST)


@pytest.mark.parametrize("call", ["track", "t", "track/"])
@pytest.mark.parametrize(
    "data",
    [
        b64encode(DATA).decode(),
        quote(b64encode(DATA).decode(), safe=""),
        b64encode(DATA).decode().rstrip("="),
        urlsafe_b64encode(DATA).decode(),
        urlsafe_b64encode(DATA).decode().rstrip("="),
    ],
)
def test_the_event_may_be_json_in_base64(data: str, call: str) -> None:
    wire = get(f"data={data}", call=call)
    event = delivered(wire)
    assert event["userId"] == "ü??>>~~~?"
    assert event["properties"] == {"n": 1.50}
    assert event["type"] == "track"
    assert "writeKey" not in event
    assert lost(wire) == 0


def test_both_alphabets_are_tried_by_the_data_above() -> None:
    assert {"+", "/"} <= set(b64encode(DATA).decode())


def test_the_event_may_be_parameters_with_dots_and_their_values_are_strings() -> None:
    wire = get(
        "writeKey=wk&userId=u&event=Email+Opened&context.page.path=/x&context.page.title=A%20B&properties.a=1"
    )
    event = delivered(wire)
    assert (event["userId"], event["event"], event["properties"]) == ("u", "Email Opened", {"a": "1"})
    assert event["context"]["page"] == {"path": "/x", "title": "A B"}


def test_the_write_key_may_stand_beside_the_data() -> None:
    data = b64encode(json.dumps({"userId": "u", "event": "e"}).encode()).decode()
    assert delivered(get(f"data={quote(data)}&writeKey=wk"))["userId"] == "u"


@pytest.mark.parametrize(
    "query",
    [
        "",
        "data=",
        "data=!!!",
        "data=" + b64encode(b"no JSON").decode(),
        "data=" + b64encode(b"\xff\xfe").decode(),
        "data=" + b64encode(b'{"writeKey":"wk"}').decode(),
        "userId=u&event=e",
        "writeKey=wk_of_nobody&userId=u&event=e",
        "writeKey=wk&userId=u",
        "writeKey=wk&userId=u&event=e&event.name=x",
        "writeKey=wk&userId=u&event=e&a.b=1&a=2",
        "writeKey=wk&userId=u&event=e&" + ".".join("a" * 100) + "=1",
        "writeKey=wk&userId=u&event=e&" + "&".join(f"p{n}=1" for n in range(1_001)),
        "writeKey=wk&userId=%ff&event=e",
        "writeKey=wk&userId=u&event=e&x=" + "y" * 30_000,
    ],
)
def test_what_is_no_event_gets_its_image_and_is_counted(query: str) -> None:
    wire = Wire()
    if len(query) > 30_000:
        wire.api.limits = type(wire.api.limits)(event_bytes=20_000)
    get(query, wire=wire)
    assert wire.delivery.given == []
    assert lost(wire) == 1


def test_a_url_that_is_too_long_gets_its_image_too() -> None:
    wire = get("data=" + "a" * 40_000)
    assert lost(wire) == 1
    assert wire.transport.over


def test_a_path_of_no_call_gets_its_image_too() -> None:
    assert lost(get("writeKey=wk&userId=u", call="nothing")) == 1
    assert lost(get("writeKey=wk&userId=u", call="batch")) == 1


def test_the_image_does_not_wait_for_the_event_and_what_is_lost_later_is_counted() -> None:
    wire = Wire()
    wire.delivery.hold = []
    get("writeKey=wk&userId=u&event=e", wire=wire)
    get("writeKey=wk&userId=u&event=e", wire=wire)
    safe, late = wire.delivery.hold
    safe(Outcome())
    assert lost(wire) == 0
    late(Outcome(unavailable=Refusal("deadline", "too late", 5)))
    assert lost(wire) == 1
    wire.delivery.refusal = Refusal("destination_full", "wait", 5)
    get("writeKey=wk&userId=u&event=e", wire=wire)
    assert lost(wire) == 2


def test_only_get_sends_an_event() -> None:
    wire = Wire()
    for method in ("HEAD", "POST", "OPTIONS"):
        get("writeKey=wk&userId=u&event=e", method=method, wire=wire)
    assert wire.delivery.given == []
    assert lost(wire) == 0


def test_the_image_is_43_bytes() -> None:
    assert len(pixel.IMAGE.body) == 43
