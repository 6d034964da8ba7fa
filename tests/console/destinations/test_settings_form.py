"""What is typed into a form of settings: wrong or saved, and never shown again where it is a secret. Pure."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from headgate.console.destinations.settings_form import (
    FORMS,
    GENERAL,
    MOST_SHOWN,
    REMOVE_SECRET,
    Edit,
    faults_of,
    is_left_empty,
    list_value,
    made_of,
    shown_of,
    shown_of_new,
    shown_of_source,
    unlike,
)
from headgate.settings.schema import CALL_TYPES
from headgate.settings.strict_toml import convert
from headgate.settings.table.editing import assignment, edited
from headgate.settings.table.stored import StoredDestination, StoredSource, members
from headgate.settings.write_keys import hashed

ROLE = "arn:aws:iam::123456789012:role/writer"
REGIONS = ("us-west-2", "us-west-1", "eu-west-1", "eu-central-1")
SECRET = "hunter2-hunter2"
WEB = StoredSource(
    id="web",
    name="Website",
    write_keys=(hashed("wk_1"),),
    max_events_per_second=100,
    destinations=(
        StoredDestination(stream_name="events", role_address=ROLE, encrypted_secret_id="eA=="),
        StoredDestination(stream_name="events", event_types=("track",), region="eu-west-1"),
    ),
)
FIRST, SECOND, NEW = Edit("web", WEB, 1), Edit("web", WEB, 2), Edit("web", WEB, 3)
OWN, NEW_SOURCE = Edit("web", WEB, None), Edit("shop", None, 1)


def form_of(edit: Edit, **typed: str | None) -> dict[str, str]:
    """Return a form as a browser sends it, of what was shown and typed; None: a box that is not ticked."""
    if edit.place is None:
        assert edit.before is not None
        shown = shown_of_source(edit.before)
    else:
        shown = shown_of(edit.destination) if edit.destination is not None else shown_of_new()
    values = {name.replace("__", "."): value for name, value in typed.items()}
    return {name: value for name, value in (shown | values).items() if value is not None}


def new_source(**typed: str | None) -> dict[str, str]:
    return form_of(NEW_SOURCE, **({"id": "shop", "write_keys": "wk_2", "stream_name": "events"} | typed))


NO_CALLS: dict[str, str | None] = {f"event_types__{each}": None for each in CALL_TYPES}


@pytest.mark.parametrize(
    ("edit", "form", "faults"),
    [
        (
            FIRST,
            {"region": "us-wset-2"},
            {"region": "Kinesis is not known to be in such a one (did you mean us-west-2"},
        ),
        (FIRST, {"region": "US West 2"}, {"region": "region is 'US West 2'; allowed: an AWS region"}),
        (
            FIRST,
            {"region": "us-west2"},
            {"region": "allowed: an AWS region such as us-west-2 (did you mean us-west-2"},
        ),
        (FIRST, {"region": "xx-moon-1"}, {"region": "Kinesis is not known to be in such a one"}),
        (FIRST, {"role_address": "arn:aws:iam::1:role/x"}, {"role_address": "allowed: a role's ARN such as"}),
        (FIRST, {"role_address": "writer"}, {"role_address": "role_address is 'writer'"}),
        (FIRST, {"role_address": ""}, {"role_address": "so it needs a role_address beside it"}),
        (SECOND, {"stream_name": "ev ents"}, {"stream_name": "stream_name is 'ev ents'; allowed: 1 to 128"}),
        (SECOND, {"stream_name": ""}, {"stream_name": "the key 'stream_name' is missing"}),
        (FIRST, {"stream_name": "others"}, {"secret_id": "encrypted for the stream before; give it again"}),
        (FIRST, {"secret_id": "a b"}, {"secret_id": "secret_id is no External ID; allowed: 2 to 1,224"}),
        (SECOND, {"secret_id": SECRET}, {"role_address": "so it needs a role_address beside it"}),
        (FIRST, {"secret_id": SECRET, "secret_id__remove": "on"}, {"secret_id": "choose one"}),
        (FIRST, {"partition_key": "$.context"}, {"partition_key": "partition_key is '$.context'; allowed:"}),
        (FIRST, {"partition_key": "a..b"}, {"partition_key": "keys joined by dots"}),
        (
            FIRST,
            {"partition_key": "context.groupId", "use_message_id": "on"},
            {"partition_key": "use_message_id = true contradicts partition_key"},
        ),
        (FIRST, NO_CALLS, {"event_types": "event_types is empty; allowed: one or more of track"}),
        (FIRST, {"ordering": "loose"}, {"ordering": "allowed: lane, strict"}),
        (FIRST, {"wire": "xml"}, {"wire": "allowed: auto, cbor, json"}),
        (FIRST, {"max_record_kib": "1"}, {"max_record_kib": "expected integer >= 1024"}),
        (FIRST, {"max_record_kib": "10241"}, {"max_record_kib": "expected integer <= 10240"}),
        (FIRST, {"max_record_kib": "much"}, {"max_record_kib": "expected integer, got string"}),
        (FIRST, {"max_record_kib": "9" * 5_000}, {"max_record_kib": "expected integer"}),
        (FIRST, {"max_record_kib": "[" * 100_000}, {"max_record_kib": "expected integer"}),
        (
            FIRST,
            {"region": "eu-west-1", "role_address": "", "secret_id__remove": "on"},
            {"event_types": "two destinations are the stream 'events' in eu-west-1 and both take track"},
        ),
        (NEW, {"stream_name": "events", "region": "eu-west-1"}, {"event_types": "both take track"}),
        (
            OWN,
            {"allowed_origins": "www.example.com"},
            {"allowed_origins": "allowed_origins has 'www.example"},
        ),
        (
            OWN,
            {"max_events_per_second": "0", "allowed_origins": "*\r\nhttps://a.example/"},
            {
                "max_events_per_second": "expected integer >= 1",
                "allowed_origins": "'https://a.example/'",
            },
        ),
        (
            NEW,
            {
                "stream_name": "",
                "region": "europe",
                "role_address": "x",
                "partition_key": "a b.",
                "wire": "",
                "max_record_kib": "0",
                "secret_id": "x y",
                **NO_CALLS,
            },
            {
                "stream_name": "missing",
                "region": "region is 'europe'",
                "role_address": "role_address is 'x'",
                "partition_key": "partition_key is",
                "max_record_kib": "expected integer >= 1024",
                "secret_id": "no External ID",
                "event_types": "empty",
            },
        ),
    ],
)
def test_what_is_wrong_is_told_by_the_field_that_mends_it(
    edit: Edit, form: dict[str, str | None], faults: dict[str, str]
) -> None:
    found = faults_of(form_of(edit, **form), edit, REGIONS)
    assert found.keys() == faults.keys()
    for field, said in faults.items():
        assert said in found[field]
        assert SECRET not in found[field]
        assert "--" not in found[field]  # no option of a command line


@pytest.mark.parametrize(
    ("typed", "faults"),
    [
        ({"id": ""}, {"id": "expected string of length >= 1"}),
        ({"id": "x" * 257}, {"id": "expected string of length <= 256"}),
        ({"write_keys": " "}, {"write_keys": "the key 'write_keys' is missing"}),
        ({"write_keys": "sha256:12"}, {"write_keys": "begins with sha256: and is no hash"}),
        (
            {"id": "", "write_keys": "", "stream_name": "", "role_address": "x"},
            {"id": "length", "write_keys": "missing", "stream_name": "missing", "role_address": "ARN"},
        ),
    ],
)
def test_of_a_new_source_too(typed: dict[str, str], faults: dict[str, str]) -> None:
    found = faults_of(new_source(**typed), Edit(typed.get("id", "shop"), None, 1), REGIONS)
    assert found.keys() == faults.keys()
    assert all(said in found[field] for field, said in faults.items())


def test_a_new_source_is_what_a_file_would_say() -> None:
    form = new_source(name=" Shop ", enabled=None, event_types__alias=None, region="")
    assert faults_of(form, NEW_SOURCE, REGIONS) == {}
    assert made_of(form, NEW_SOURCE) == StoredSource(
        id="shop",
        name="Shop",
        write_keys=("wk_2",),
        destinations=(StoredDestination(stream_name="events", enabled=False, event_types=CALL_TYPES[:-1]),),
    )


@pytest.mark.parametrize("edit", [FIRST, SECOND, OWN])
def test_a_form_that_nobody_touched_changes_nothing(edit: Edit) -> None:
    assert faults_of(form_of(edit), edit, ()) == {}
    assert made_of(form_of(edit), edit) == WEB
    assert unlike(form_of(edit), edit) == []


def test_what_a_browser_cannot_send_back_is_left_as_it_is() -> None:
    strange = edited("web", WEB, [assignment("name=a\r\nb\0c\nd")])
    edit = Edit("web", strange, None)
    assert made_of(form_of(edit, max_events_per_second="5"), edit).name == "a\r\nb\0c\nd"


def test_a_secret_id_stays_goes_or_is_replaced() -> None:
    stays, goes, other = (
        made_of(form_of(FIRST, **typed), FIRST).destinations[0]
        for typed in ({}, {"secret_id__remove": "on"}, {"secret_id": f" {SECRET}\t"})
    )
    assert (stays.encrypted_secret_id, stays.secret_id) == ("eA==", None)
    assert (goes.encrypted_secret_id, goes.secret_id) == (None, None)
    assert (other.encrypted_secret_id, other.secret_id) == (None, SECRET)


def test_a_region_that_was_there_before_may_stay_even_if_nobody_knows_it() -> None:
    newer = edited("web", WEB, [assignment("region=eu-moon-1")], destination="#2")
    edit = Edit("web", newer, 2)
    assert faults_of(form_of(edit, wire="json"), edit, REGIONS) == {}


def test_what_is_typed_is_named_beside_what_is_there() -> None:
    form = form_of(FIRST, wire="json", enabled=None, event_types__track=None, secret_id=SECRET)
    assert sorted(unlike(form, FIRST)) == [
        ("enabled", "yes", "no"),
        ("event_types", ", ".join(CALL_TYPES), ", ".join(CALL_TYPES[1:])),
        ("secret_id", "set", "a new one"),
        ("wire", "auto", "json"),
    ]
    assert unlike(form_of(SECOND, secret_id__remove="on"), SECOND) == [("secret_id", "none", "none")]


def test_what_is_long_is_cut_and_still_says_what_is_allowed() -> None:
    [line] = faults_of(form_of(FIRST, stream_name="x" * 100_000, secret_id=SECRET), FIRST, REGIONS).values()
    assert len(line) < MOST_SHOWN + 10
    assert line.startswith("stream_name is 'xxx")
    assert line.endswith("allowed: 1 to 128 characters of a-z A-Z 0-9 _ . -")


def test_a_required_field_is_known_to_be_empty() -> None:
    assert is_left_empty({"stream_name": " "}, "stream_name")
    assert not is_left_empty({"stream_name": "x"}, "stream_name")
    assert not is_left_empty({}, "region")


@given(st.lists(st.text()))
def test_a_list_of_anything_is_what_an_assignment_takes(items: list[str]) -> None:
    changed = edited("web", WEB, [assignment(f"allowed_origins={list_value([])}")])
    assert changed.allowed_origins == ()
    keys = [f"k{number}{item}" for number, item in enumerate(items)] or ["k"]
    assert edited("web", WEB, [assignment(f"write_keys={list_value(keys)}")]).write_keys == tuple(keys)


TYPED = st.one_of(
    st.sampled_from(["", "events", "eu-west-1", ROLE, "lane", "strict", "json", "2048", "userId", "on", "*"]),
    st.text(max_size=40),
    st.text("[]{}\"'\\,=\n\r\x00\x7f\u202e<>&", max_size=20),
)
NAMES = sorted({name for names in FORMS.values() for name in names} - {"secret_id"})
BOXES = [REMOVE_SECRET, *(f"event_types.{each}" for each in CALL_TYPES)]


@settings(max_examples=300)
@given(
    edit=st.sampled_from([FIRST, SECOND, NEW, OWN, NEW_SOURCE]),
    typed=st.dictionaries(st.sampled_from(NAMES), TYPED, max_size=5),
    boxes=st.dictionaries(st.sampled_from(BOXES), st.sampled_from(["on", None]), max_size=4),
    secret=st.one_of(st.just(""), st.just(SECRET), TYPED.map(lambda text: f"{SECRET}{text}{SECRET}")),
    whole=st.booleans(),
)
def test_whatever_is_typed_is_wrong_or_saved_and_no_secret_is_told(
    edit: Edit, typed: dict[str, str], boxes: dict[str, Any], secret: str, *, whole: bool
) -> None:
    shown = new_source() if edit is NEW_SOURCE else form_of(edit)
    form = {**(shown if whole else {}), **typed, **boxes, "secret_id": secret}
    form = {name: value for name, value in form.items() if value is not None}
    if edit.before is None:
        edit = Edit(form.get("id", "").strip(), None, 1)
    faults = faults_of(form, edit, REGIONS)
    assert all(line and "\n" not in line and SECRET not in line for line in faults.values())
    assert faults.keys() <= {GENERAL, *edit.fields}
    assert all(SECRET not in text for row in unlike(form, edit) for text in row)
    if not faults:
        made = made_of(form, edit)
        assert convert(members(made), StoredSource, where="read again") == made
        again = {**form, "secret_id": "", REMOVE_SECRET: ""}
        assert made_of(again, Edit(made.id, made, edit.place)) == made
