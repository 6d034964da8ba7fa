from msgspec.structs import replace

from headgate.settings.table.changes import named, what_changed
from headgate.settings.table.stored import StoredDestination, StoredSource
from headgate.settings.write_keys import hashed, shown

ROLE = "arn:aws:iam::123456789012:role/writer"
EVENTS = StoredDestination(stream_name="events", role_address=ROLE, encrypted_secret_id="eA==")
WEB = StoredSource(id="web", write_keys=(hashed("wk_1"),), destinations=(EVENTS,))


def test_what_did_not_change_is_not_told() -> None:
    assert what_changed(WEB, WEB) == []
    assert what_changed(WEB, replace(WEB, enabled=False)) == [{"field": "enabled", "old": True, "new": False}]


def test_a_source_that_comes_or_goes_is_told_by_what_is_not_as_by_default() -> None:
    fields = {
        "id": "web",
        "write_keys": [shown("wk_1")],
        "us-west-2/events: stream_name": "events",
        "us-west-2/events: role_address": ROLE,
        "us-west-2/events: secret_id": "set",
    }
    assert {each["field"]: each["new"] for each in what_changed(None, WEB)} == fields
    assert {each["field"]: each["old"] for each in what_changed(WEB, None)} == fields


def test_a_secret_id_is_only_ever_set_or_set_again() -> None:
    again = replace(WEB, destinations=(replace(EVENTS, encrypted_secret_id="eQ=="),))
    gone = replace(WEB, destinations=(replace(EVENTS, encrypted_secret_id=None),))
    name = "us-west-2/events: secret_id"
    assert what_changed(WEB, again) == [{"field": name, "old": "set", "new": "set again"}]
    assert what_changed(WEB, gone) == [{"field": name, "old": "set", "new": None}]
    assert what_changed(gone, WEB) == [{"field": name, "old": None, "new": "set"}]


def test_two_destinations_of_one_stream_are_told_apart() -> None:
    off = replace(EVENTS, enabled=False)
    both = replace(WEB, destinations=(EVENTS, off, replace(EVENTS, region="eu-west-1")))
    assert list(named(both)) == ["us-west-2/events", "us-west-2/events#2", "eu-west-1/events"]
