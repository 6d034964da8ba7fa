"""A request prepared twice, the usual way and the exact way, and compared with the oracle."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest

from headgate.spec import body as bodies
from headgate.spec import event, merge, stamp
from headgate.spec.prepare import Limits, Prepared, prepare
from headgate.spec.stamp import Arrival
from tests.spec import oracle

RECEIVED = datetime(2026, 1, 2, 3, 4, 10, 123_456, tzinfo=UTC)
UNLIMITED = Limits(event_bytes=1 << 30)


def check(text: bytes, call: str | None, **given: Any) -> Prepared | None:
    """Prepare a request, assert all that is promised, and return what became of it; None if malformed."""
    expected = _readable(text)
    try:
        body = bodies.read(text, batch=call is None)
    except bodies.Malformed:
        batch = expected.get("batch") if isinstance(expected, oracle.Object) else None
        assert not isinstance(expected, oracle.Object) or (
            call is None and not (isinstance(batch, oracle.Array) and batch)
        )
        return None
    assert isinstance(expected, oracle.Object), "a body that is not valid JSON was taken"
    arrival = Arrival(received_at=RECEIVED, sent_at=body.sent_at, project_id="src", call=call, **given)
    found = prepare(body, arrival, lambda: "new-id", UNLIMITED)
    with _only_exact_ways():
        again = bodies.read(text, batch=call is None)
        assert _read_of(again) == _read_of(body)
        assert again.write_key == body.write_key
        assert prepare(again, arrival, lambda: "new-id", UNLIMITED) == found
    _check_head(body, expected, call)
    _check_events(found, expected, arrival)
    return found


def _readable(text: bytes) -> Any:
    """The tree of a text; None where Python's decoder, made strict, does not take it."""

    def refuse(constant: str) -> None:
        raise ValueError(constant)

    try:
        decoded = text.decode("utf-8-sig")
        json.loads(decoded, parse_constant=refuse, parse_int=str)
    except ValueError:
        return None
    return oracle.tree(decoded.encode())


def _check_head(body: bodies.Body, expected: oracle.Object, call: str | None) -> None:
    sent_at = expected.get("sentAt")
    assert body.sent_at == (readable(sent_at.value) if oracle.is_text(sent_at) else None)
    heads = [expected] if call else [expected, *expected.get("batch")]
    keys = [head.get("writeKey") for head in heads if isinstance(head, oracle.Object)]
    named = [readable(key.value) for key in keys if oracle.is_text(key) and key.value]
    assert body.write_key == (named[0] if named else None)


def _check_events(found: Prepared, expected: oracle.Object, arrival: Arrival) -> None:
    delivered = {each.index: each for each in found.events}
    events = [expected] if arrival.call else expected.get("batch")
    kept_out = 0
    for index, sent in enumerate(events):
        one = sent
        if not arrival.call and isinstance(sent, oracle.Object):
            for key in ("context", "integrations"):
                one = oracle.merged(one, key, expected.get(key))
        if codes := oracle.codes(one, arrival.call):
            assert found.rejected[index].code in codes
        elif oracle.excluded(one):
            kept_out += 1
        else:
            done = delivered.pop(index)
            carried, added = oracle.stamped(one, arrival, done.message_id)
            result = oracle.tree(done.data)
            assert result[: len(carried)] == carried
            assert {name.value: value for name, value in result[len(carried) :]} == added
            assert len(result) == len(carried) + len(added)
            users = [one.get(key) for key in ("userId", "anonymousId")]
            assert done.user == next(
                readable(each.value) for each in users if oracle.is_text(each) and each.value
            )
    assert not delivered
    assert found.excluded == kept_out
    assert len(found.events) + len(found.rejected) + kept_out == len(events)


def readable(text: str) -> str:
    """The text with U+FFFD in the place of every lone surrogate."""
    return "".join("\ufffd" if "\ud800" <= each <= "\udfff" else each for each in text)


def _read_of(body: bodies.Body) -> tuple[object, ...]:
    return body.events, body.sent_at, body.context, body.integrations, body.write_key


@contextmanager
def _only_exact_ways() -> Iterator[None]:
    def refuse(_: bytes) -> None:
        raise msgspec.DecodeError

    with pytest.MonkeyPatch.context() as patch:
        for module in (stamp, merge):
            patch.setattr(module, "is_plain", lambda _: False)
        for module, decode in ((bodies, "decode"), (event, "decode"), (merge, "_decode")):
            patch.setattr(module, decode, refuse)
        for name in ("_decode_call", "_decode_batch"):
            patch.setattr(bodies, name, refuse)
        yield
