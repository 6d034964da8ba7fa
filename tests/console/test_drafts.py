"""What the tester says of a body is what the forwarder says of it."""

import json
from datetime import UTC, datetime
from typing import Any, cast

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from headgate.console.drafts import Draft, draft
from headgate.console.samples import BATCH, CALLS, sample
from headgate.ingest.connections import Connections
from headgate.ingest.protocol import HttpProtocol
from headgate.ingest.tracking import TrackingApi
from tests.ingest.serving import SOURCE, Answer, Delivery, request
from tests.ingest.wire import Transport, split_answers

NOW = datetime(2026, 3, 4, 5, 6, 7, tzinfo=UTC)


def drafted(body: object, call: str = "track") -> Draft:
    return draft(body if isinstance(body, str) else json.dumps(body), call, "src", NOW)


def answered(text: str, call: str) -> tuple[Answer, Delivery]:
    """Send a body to a forwarder."""
    delivery, transport = Delivery(), Transport()
    api = TrackingApi(sources={"wk": SOURCE}, delivery=cast("Any", delivery))
    protocol = HttpProtocol(api.handle, Connections())
    protocol.connection_made(cast("Any", transport))
    protocol.data_received(request(f"/v1/{call}", text.encode(), keep=True))
    [answer] = split_answers(bytes(transport.written))
    return cast("Answer", answer), delivery


@pytest.mark.parametrize("call", CALLS)
def test_every_sample_is_taken(call: str) -> None:
    ids = iter(range(100))
    text = sample(call, NOW, lambda: str(next(ids)))
    made = drafted(text, call)
    assert made.fault is None
    assert not made.rejected
    assert made.taken is not None
    assert len(made.taken) == len(made.events) == (3 if call == BATCH else 1)
    assert len({event.message_id for event in made.taken.values()}) == len(made.events)
    assert all(event.user.startswith("user-") for event in made.taken.values())
    assert '"2026-03-04T05:06:07.000Z"' in text
    answer, delivery = answered(text, call)
    assert answer.body == {"success": True}
    assert len(delivery.given) == 1


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ('{\n  "a" 1\n}', "line 2, column 7"),
        ('{"é😀": tru}', "line 1, column 8"),
        ("  \n {]", "line 2, column 3"),
        ('{"a": 1', "line 1, column 8"),
        ('{"a": {\n\n', "line 3, column 1"),
        ("", "line 1, column 1"),
        ('\n {"é": NaN}', "line 2, column 8"),
        ('{"a": 1} x', "line 1, column 10"),
        ('{\n"a": "\t"}', "line 2, column 7"),
    ],
)
def test_where_json_is_wrong_is_a_line_and_a_column(text: str, place: str) -> None:
    made = drafted(text)
    assert made.fault is not None
    assert made.fault.code == "bad_request"
    assert made.fault.message.startswith("the body is not valid JSON: ")
    assert made.place == place


def test_a_body_that_is_too_large_or_too_many_is_refused() -> None:
    made = drafted({"x": "x" * 513_024})
    assert made.fault == ("too_large", "the body is larger than 513,024 bytes")
    made = drafted({"batch": [{}] * 2_501}, BATCH)
    assert made.fault == ("too_large", "2,501 events; allowed: 2,500 a batch")
    assert drafted({"batch": []}, BATCH).fault == (
        "empty_batch",
        "batch is missing or empty; allowed: a list of one event or more",
    )
    deep = drafted('{"a":' * 5_000 + "1" + "}" * 5_000)
    assert deep.fault is not None
    assert "nested too deeply" in deep.fault.message
    assert deep.place == ""


def test_an_event_without_a_message_id_is_taken_and_has_none() -> None:
    made = drafted({"userId": "u", "event": "e"})
    assert made.taken is not None
    assert made.taken[0].message_id == ""


MEMBERS = st.fixed_dictionaries(
    {},
    optional={
        "type": st.sampled_from(["track", "page", "group", "alias", "other", 1, None]),
        "userId": st.sampled_from(["u", "", 1, None]),
        "anonymousId": st.sampled_from(["a", [], None]),
        "event": st.sampled_from(["e", 1, None]),
        "groupId": st.sampled_from(["g", ""]),
        "properties": st.sampled_from([{}, [], None]),
        "integrations": st.sampled_from([{"All": False}, {"Amazon Kinesis": False}, {"All": True}, None]),
        "messageId": st.just("m"),
        "writeKey": st.just("wk"),
    },
)


@settings(max_examples=150, deadline=None)
@given(st.lists(st.one_of(MEMBERS, st.just([])), max_size=4), st.sampled_from(CALLS), st.integers(0, 40))
def test_it_says_what_the_forwarder_says(events: list[Any], call: str, cut: int) -> None:
    text = json.dumps({"batch": events} if call == BATCH else (events or [[]])[0])
    text = text[: -cut or None] if cut < 5 else text
    made = drafted(text, call)
    answer, delivery = answered(text, call)
    if made.fault is not None:
        assert (answer.status, answer.body["code"]) == (400, made.fault.code)
        assert answer.body["message"] == made.fault.message
        return
    said = {each["index"]: (each["code"], each["message"]) for each in answer.body.get("rejected", [])}
    assert said == dict(made.rejected or {})
    assert (answer.status == 200) is (len(said) < len(made.events))
    delivered = [data.number for portions in delivery.given for data in next(iter(portions.values()))]
    assert delivered == list(made.taken or {})
    assert made.excluded == len(made.events) - len(delivered) - len(said)
