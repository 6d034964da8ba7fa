import json
from collections.abc import Sequence
from typing import Any

import pytest

from headgate.errors import HeadgateError, SettingsError, UsageError
from headgate.settings.table.changes import told
from headgate.settings.table.editing import assignment, edited, without
from headgate.settings.table.stored import StoredDestination, StoredSource
from headgate.settings.write_keys import hashed

ROLE = "arn:aws:iam::123456789012:role/writer"
WEB = StoredSource(
    id="web",
    write_keys=(hashed("wk_1"), hashed("wk_2")),
    destinations=(
        StoredDestination(stream_name="events", role_address=ROLE, encrypted_secret_id="eA=="),
        StoredDestination(stream_name="events", region="eu-west-1"),
    ),
)


def edit(*fields: str, before: StoredSource | None = WEB, **options: Any) -> StoredSource:
    return edited("web", before, list(map(assignment, fields)), **options)


def test_a_source_is_made_with_its_first_destination() -> None:
    made = edit(
        "name=a = b", "write_keys=k1,k2", "ordering=strict", before=None, destination="eu-west-1/events"
    )
    assert made == StoredSource(
        id="web",
        name="a = b",
        write_keys=("k1", "k2"),
        destinations=(StoredDestination(stream_name="events", region="eu-west-1", ordering="strict"),),
    )


def test_a_field_is_set_and_given_its_default_again() -> None:
    changed = edit(
        "max_events_per_second=5", "enabled=false", 'allowed_origins=["null", "https://a.example"]'
    )
    assert (changed.max_events_per_second, changed.enabled) == (5, False)
    assert changed.allowed_origins == ("null", "https://a.example")
    assert edit("max_events_per_second=", "enabled=", "allowed_origins=", before=changed) == WEB


def test_a_field_is_the_destinations_before_it_is_the_sources() -> None:
    changed = edit("enabled=false", "name=Web", destination="eu-west-1/events")
    assert changed.enabled
    assert changed.name == "Web"
    assert [each.enabled for each in changed.destinations] == [True, False]


@pytest.mark.parametrize(("name", "place"), [("us-west-2/events", 0), ("eu-west-1/events", 1), ("#2", 1)])
def test_a_destination_is_found_by_region_or_place(name: str, place: int) -> None:
    changed = edit("wire=json", destination=name)
    assert [each.wire for each in changed.destinations].index("json") == place
    assert without(WEB, name).destinations == (WEB.destinations[1 - place],)


def test_the_place_after_the_last_is_a_new_destination_of_any_stream() -> None:
    made = edit("stream_name=events", "enabled=false", destination="#3")
    assert made.destinations == (*WEB.destinations, StoredDestination(stream_name="events", enabled=False))
    with pytest.raises(UsageError, match="no destination '#3'"):
        without(WEB, "#3")


def test_lists_grow_and_shrink() -> None:
    more = edit("write_keys+=wk_3", "write_keys+=wk_1")
    assert more.write_keys == (*WEB.write_keys, "wk_3")
    for reference in ("wk_1", hashed("wk_1"), hashed("wk_1")[:15]):
        assert edit(f"write_keys-={reference}").write_keys == (hashed("wk_2"),)
    origins = edit("allowed_origins=https://a.example", "allowed_origins+=null")
    assert origins.allowed_origins == ("https://a.example", "null")
    assert edit("allowed_origins-=null", before=origins).allowed_origins == ("https://a.example",)


def test_a_new_secret_id_takes_the_place_of_the_one_before() -> None:
    [changed, _] = edit(destination="#1", secret_id="ab").destinations
    assert (changed.secret_id, changed.encrypted_secret_id) == ("ab", None)
    [changed, _] = edit("secret_id=", destination="#1").destinations
    assert (changed.secret_id, changed.encrypted_secret_id) == (None, None)


def test_a_secret_id_does_not_go_with_its_stream_to_another_name() -> None:
    with pytest.raises(SettingsError, match=r"stream_name: .*give it again with --secret-id"):
        edit("stream_name=others", destination="#1")
    assert (
        edit("stream_name=others", destination="#1", secret_id="ab").destinations[0].stream_name == "others"
    )
    assert edit("stream_name=others", destination="#2").destinations[1].stream_name == "others"


@pytest.mark.parametrize(
    ("fields", "options", "said"),
    [
        (["enabled"], {}, "'enabled' sets nothing; allowed: FIELD=VALUE"),
        (["enabled=maybe"], {}, "the source 'web': enabled: expected true or false, got string"),
        (["max_events_per_second=0"], {}, "the source 'web': max_events_per_second: expected integer >= 1"),
        (["max_events_per_second=1.5"], {}, "max_events_per_second: expected integer"),
        (["nonsense=1"], {}, "there is no field 'nonsense'; allowed: name, write_keys"),
        (["region=eu-west-1"], {}, "region is a field of a destination: give --destination STREAM"),
        (["region=europe"], {"destination": "#1"}, "region is 'europe'; allowed: an AWS region"),
        (
            ["ordering=none"],
            {"destination": "#1"},
            "ordering: invalid enum value 'none'; allowed: lane, strict",
        ),
        (["role_address=x"], {"destination": "#1"}, "role_address is 'x'; allowed: a role's ARN"),
        (["role_address="], {"destination": "#1"}, "needs a role_address"),
        (["id=other"], {}, "id is not set as a field"),
        (["secret_id=hunter2"], {"destination": "#1"}, "give --secret-id, which asks for it"),
        (["enabled+=true"], {}, "enabled+=: it is no list"),
        (["write_keys-=wk_9"], {}, "write_keys-=: none of them is meant"),
        (["write_keys-=wk_1,wk_2"], {}, "write_keys: expected array of length >= 1"),
        (["write_keys=wk_9,wk_9"], {}, "write_keys: the source 'web' has a write key twice"),
        ([f"write_keys=wk_9,{hashed('wk_9')}"], {}, "write_keys: the source 'web' has a write key twice"),
        (["write_keys=[1"], {}, "a list is TOML's"),
        (["write_keys+=[1]"], {}, "write_keys[3]: expected string, got integer"),
        (["write_keys-=[1]"], {}, "none of them is meant"),
        (["write_keys+="], {}, "write_keys holds an empty write key"),
        (["write_keys+=sha256:12"], {}, "write_keys holds what begins with sha256: and is no hash"),
        (["max_events_per_second=" + "9" * 5000], {}, "max_events_per_second: expected integer"),
        (["max_events_per_second=" + "[" * 5000], {}, "max_events_per_second: expected integer"),
        (["allowed_origins=www.example.com"], {}, "allowed_origins has 'www.example.com'"),
        (
            [],
            {"destination": "events"},
            "2 destinations 'events'; give REGION/STREAM, or the place: #1 or #2",
        ),
        ([], {"destination": "#3"}, "the key 'stream_name' is missing"),
        ([], {"destination": "#4"}, "'#4' is no place in 'web'; allowed: #1 to #3, a new one"),
        ([], {"destination": "#x"}, "'#x' is no place in 'web'"),
        ([], {"destination": "x/y"}, "'x/y' begins with no region"),
        ([], {"destination": "a b"}, "stream_name is 'a b'"),
        ([], {"secret_id": "ab"}, "a Secret ID is a destination's"),
        ([], {"secret_id": "a b", "destination": "#1"}, "secret_id is no External ID"),
        ([], {"before": None}, "the key 'write_keys' is missing"),
        (["write_keys=k"], {"before": None}, "destinations: expected array of length >= 1"),
    ],
)
def test_what_cannot_be_is_one_line_that_names_the_field(
    fields: Sequence[str], options: dict[str, Any], said: str
) -> None:
    with pytest.raises(HeadgateError) as refused:
        edit(*fields, **options)
    assert said in str(refused.value)
    assert refused.value.exit_status == 2
    assert not any(secret in str(refused.value) for secret in ("hunter2", "wk_9", "a b,"))


def test_a_destination_that_is_not_there_is_not_removed() -> None:
    with pytest.raises(UsageError, match="no destination 'x'; there are: us-west-2/events, eu-west-1/events"):
        without(WEB, "x")
    with pytest.raises(SettingsError, match="destinations: expected array of length >= 1"):
        without(without(WEB, "#1"), "events")


def test_whatever_fields_a_destination_has_can_be_set() -> None:
    fields = {name: value for name, value in told(WEB.destinations[1]).items() if value is not None}
    assert {"stream_name", "region", "enabled"} <= fields.keys()
    for name, value in fields.items():
        text = value if isinstance(value, str) else json.dumps(value)
        assert edit(f"{name}={text}", destination="#2") == WEB
