"""What leaves, byte for byte, against decoders that are none of ours."""

import json
from base64 import b64decode

import cbor2
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from headgate.delivery.wire.forms import CBOR, JSON, Form
from tests.delivery.wire.kinesis import One

KEYS = st.text(st.characters(exclude_categories=["Cs"]), max_size=300)
RECORDS = st.lists(st.builds(One, st.binary(max_size=300), KEYS), min_size=1, max_size=8)
STREAM_NAMES = st.from_regex(r"[a-zA-Z0-9_.-]{1,128}", fullmatch=True)


@given(STREAM_NAMES, RECORDS)
@example("s", [One(b"", "\U0001f600" * 256), One(b"\xff\x00", 'quote " and \\ and \n')])
@example("s", [One(b"x", "k" * 1025)])
def test_both_forms_carry_exactly_the_data_and_the_keys(stream_name: str, records: list[One]) -> None:
    entries = [{"Data": each.data, "PartitionKey": each.partition_key} for each in records]
    in_cbor = CBOR.put_records(stream_name, records)
    assert cbor2.loads(in_cbor) == {"StreamName": stream_name, "Records": entries}
    assert in_cbor == cbor2.dumps({"StreamName": stream_name, "Records": entries})

    in_json = json.loads(JSON.put_records(stream_name, records))
    for entry in in_json["Records"]:
        entry["Data"] = b64decode(entry["Data"], validate=True)
    assert in_json == {"StreamName": stream_name, "Records": entries}


@given(STREAM_NAMES, st.builds(One, st.binary(max_size=300), KEYS))
def test_both_forms_carry_exactly_the_one_record_of_a_put_record(stream_name: str, record: One) -> None:
    expected = {"StreamName": stream_name, "Data": record.data, "PartitionKey": record.partition_key}
    assert CBOR.put_record(stream_name, record) == cbor2.dumps(expected)
    in_json = json.loads(JSON.put_record(stream_name, record))
    assert in_json | {"Data": b64decode(in_json["Data"], validate=True)} == expected


@pytest.mark.parametrize("size", [0, 23, 24, 255, 256, 4095, 4096, 65_535, 65_536, 1_048_576])
def test_data_of_every_size_has_the_shortest_length_before_it(size: int) -> None:
    expected = {"StreamName": "s", "Records": [{"Data": b"d" * size, "PartitionKey": "k"}]}
    assert CBOR.put_records("s", [One(b"d" * size, "k")]) == cbor2.dumps(expected)


@pytest.mark.parametrize("count", [1, 23, 24, 255, 256, 500])
def test_any_number_of_records_has_the_shortest_length_before_it(count: int) -> None:
    expected = {"StreamName": "s", "Records": [{"Data": b"d", "PartitionKey": "k"}] * count}
    assert CBOR.put_records("s", [One(b"d", "k")] * count) == cbor2.dumps(expected)


@pytest.mark.parametrize("form", [CBOR, JSON], ids=lambda form: form.name)
def test_a_key_that_is_no_unicode_text_never_leaves(form: Form) -> None:
    records = [One(b"d", "good"), One(b"d", "half a pair \ud83d")]
    with pytest.raises(UnicodeEncodeError):
        form.put_records("s", records)
    with pytest.raises(UnicodeEncodeError):
        form.put_record("s", records[1])
