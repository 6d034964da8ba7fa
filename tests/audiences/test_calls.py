"""The identify calls of a sync: Engage's payload, as the forwarder itself would have written it."""

import dataclasses
import json
import re
from datetime import UTC, datetime, timedelta
from itertools import product
from pathlib import Path
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from headgate.audiences.calls import CALL, MAX_REST_BYTES, Calls, Change, Computation
from headgate.audiences.snapshot import MAX_BYTES
from headgate.delivery.target import Data
from headgate.ingest.shares import sharing
from headgate.settings.schema import CALL_TYPES
from headgate.spec import body as bodies
from headgate.spec.partition_key import MESSAGE_ID, USER
from headgate.spec.prepare import Event, prepare
from headgate.spec.stamp import Arrival

AUDIENCE = Computation("audience", "order_completed_last_30days", "8kf3Qw2LpZ")
TRAIT = Computation("trait", "total_revenue_180_days", "8kf3Qw2LpZ")
BEGUN = datetime(2026, 11, 24, 12, 0, 0, 123_456, tzinfo=UTC)
NOW = BEGUN + timedelta(minutes=3)
DOCUMENT = Path(__file__).parents[2] / "docs" / "audiences.md"
TEXTS = st.text(st.characters(exclude_categories=["Cs"]))
VALUES = st.one_of(
    st.booleans(), st.none(), st.integers(), st.floats(allow_nan=False, allow_infinity=False), TEXTS
)


def event(kind: str, user: str, value: str, computation: Computation = AUDIENCE) -> Event:
    [made] = Calls(computation, 7, BEGUN).events([(41, kind, user, value)], NOW)
    return made


def forwarded(made: Event) -> Event:
    """The same call, sent to the forwarder by a client."""
    call: dict[str, Any] = json.loads(made.data)
    sent = {
        key if key != "originalTimestamp" else "timestamp": value
        for key, value in call.items()
        if key not in ("version", "channel", "receivedAt", "projectId", "timestamp")
    }
    text = json.dumps(sent, ensure_ascii=False, separators=(",", ":")).encode()
    arrival = Arrival(received_at=NOW, sent_at=None, project_id=call["projectId"], call="identify")
    prepared = prepare(bodies.read(text, batch=False), arrival, lambda: "new")
    assert not prepared.rejected
    assert not prepared.excluded
    [found] = prepared.events
    return found


def test_an_audience_call_is_what_engage_sends() -> None:
    made = event("userId", "u123", "true")
    assert json.loads(made.data) == {
        "type": "identify",
        "userId": "u123",
        "traits": {"order_completed_last_30days": True},
        "context": {
            "personas": {
                "computation_class": "audience",
                "computation_id": AUDIENCE.computation_id,
                "computation_key": "order_completed_last_30days",
                "namespace": AUDIENCE.space_id,
                "space_id": AUDIENCE.space_id,
            }
        },
        "integrations": {"All": False, "Amazon Kinesis": True},
        "messageId": made.message_id,
        "originalTimestamp": "2026-11-24T12:00:00.123Z",
        "sentAt": "2026-11-24T12:03:00.123Z",
        "version": 2,
        "channel": "server",
        "receivedAt": "2026-11-24T12:03:00.123Z",
        "projectId": "8kf3Qw2LpZ",
        "timestamp": "2026-11-24T12:00:00.123Z",
    }
    assert made.index == 41


def test_the_call_in_the_document_is_the_one_that_is_made() -> None:
    [shown] = re.findall(r"```json\n(.*?)```", DOCUMENT.read_text(encoding="utf-8"), re.DOTALL)
    begun = datetime(2026, 11, 24, 12, 0, 0, 123_000, tzinfo=UTC)
    [made] = Calls(AUDIENCE, 1, begun).events([(0, "userId", "u123", "true")], begun + timedelta(minutes=3))
    assert json.dumps(json.loads(shown)) == json.dumps(json.loads(made.data))


def test_a_trait_call_carries_the_value_as_it_was_written() -> None:
    made = event("anonymousId", "a-1", "450.00", TRAIT)
    assert b'"anonymousId":"a-1","traits":{"total_revenue_180_days":450.00}' in made.data
    personas = json.loads(made.data)["context"]["personas"]
    assert personas["computation_class"] == "trait"
    assert personas["computation_id"].startswith("tra_")


def test_who_left_gets_false_for_an_audience_and_null_for_a_trait() -> None:
    assert (AUDIENCE.left, TRAIT.left) == ("false", "null")


def test_ids_of_computations_are_stable_and_differ_between_sources_kinds_and_keys() -> None:
    all_of_them = [
        Computation(kind, key, source)
        for kind, key, source in product(("audience", "trait"), ("a", "b"), ("s", "t"))  # type: ignore[arg-type]
    ]
    assert len({each.computation_id for each in all_of_them}) == len(all_of_them)
    assert len({each.space_id for each in all_of_them}) == 2
    assert AUDIENCE.computation_id == dataclasses.replace(AUDIENCE).computation_id
    assert AUDIENCE.computation_id.startswith("aud_")
    assert AUDIENCE.space_id.startswith("spa_")


@given(st.sampled_from(["userId", "anonymousId"]), TEXTS.filter(bool), VALUES, TEXTS.filter(bool))
def test_whatever_the_identifier_and_value_the_forwarder_would_have_written_the_same(
    kind: str, user: str, value: Any, source: str
) -> None:
    made = event(kind, user, json.dumps(value, ensure_ascii=False), Computation("trait", "k", source))
    call = json.loads(made.data)
    assert call[kind] == user == made.user
    assert call["traits"] == {"k": value}
    assert call["projectId"] == source
    # Index aside: a request of one event has no other.
    assert forwarded(made) == Event(0, made.data, made.message_id, made.user, CALL)


def test_a_partition_key_is_the_identifier_or_the_message_id() -> None:
    made = [event("userId", "u", "true"), event("anonymousId", "a", "true")]
    by_user, by_message_id = (sharing((CALL_TYPES, choice)) for choice in (USER, MESSAGE_ID))
    assert by_user(made) == [Data("u", made[0].data, 41), Data("a", made[1].data, 41)]
    assert [each.partition_key for each in by_message_id(made)] == [each.message_id for each in made]


def test_the_largest_identifier_in_the_largest_event_is_still_an_event() -> None:
    # Six bytes of JSON are the most that a character takes.
    largest = Computation("audience", "k" * 255, "\x01" * 256)
    made = event("anonymousId", "u" * (MAX_BYTES - len('""false')), "false", largest)
    rest = len(made.data) - MAX_BYTES
    assert rest <= MAX_REST_BYTES
    assert forwarded(made).data == made.data


CHANGES = st.tuples(
    st.just(0), st.sampled_from(["userId", "anonymousId"]), st.sampled_from(["a", 'a"', "u", "1"]),
    st.sampled_from(["true", "false", '"true"', "1", "null"]),
)  # fmt: skip
SYNCS = st.builds(
    lambda computation, sync, seconds: (computation, sync, BEGUN + timedelta(seconds=seconds)),
    st.builds(
        Computation,
        st.sampled_from(["audience", "trait"]),
        st.sampled_from(["a", "b"]),
        st.sampled_from("st"),
    ),
    st.integers(1, 12),
    st.integers(0, 2),
)


@given(st.tuples(SYNCS, CHANGES), st.tuples(SYNCS, CHANGES))
def test_a_message_id_is_the_same_for_the_same_call_of_the_same_sync_and_for_no_other(
    one: tuple[tuple[Computation, int, datetime], Change],
    other: tuple[tuple[Computation, int, datetime], Change],
) -> None:
    def message_id(of: tuple[tuple[Computation, int, datetime], Change], sent_at: datetime) -> str:
        sync, change = of
        [made] = Calls(*sync).events([change], sent_at)
        return made.message_id

    assert message_id(one, NOW) == message_id(one, NOW + timedelta(hours=1))
    assert (message_id(one, NOW) == message_id(other, NOW)) == (one == other)


def test_message_ids_of_many_calls_all_differ_and_are_short() -> None:
    calls = Calls(AUDIENCE, 1, BEGUN)
    changes: list[Change] = [
        (number, kind, user, value)
        for number, (kind, user, value) in enumerate(
            product(("userId", "anonymousId"), map(str, range(2_000)), ("true", "false"))
        )
    ]
    made = calls.events(changes, NOW)
    assert len({each.message_id for each in made}) == len(changes)
    assert max(len(each.message_id) for each in made) <= 100
    assert [each.index for each in made] == list(range(len(changes)))
