"""Both forms of the protocol, as bytes."""

import cbor2
import msgspec
import pytest

from headgate.testing.forms import CBOR, JSON, Form, Time
from headgate.testing.refusals import Refusal
from headgate.testing.requests import Entry, GetShardIterator, PutRecords

INDEFINITE = (
    b"\xbf" + cbor2.dumps("StreamName") + b"\x7f" + cbor2.dumps("eve") + cbor2.dumps("nts") + b"\xff"
    + cbor2.dumps("Records") + b"\x9f\xbf" + cbor2.dumps("Data") + b"\x5f" + cbor2.dumps(b"a")
    + cbor2.dumps(b"b") + b"\xff" + cbor2.dumps("PartitionKey") + cbor2.dumps("u1") + b"\xff\xff\xff"
)  # fmt: skip


def test_cbor_of_definite_and_indefinite_lengths_is_the_same() -> None:
    definite = cbor2.dumps({"StreamName": "events", "Records": [{"Data": b"ab", "PartitionKey": "u1"}]})
    expected = PutRecords(stream_name="events", records=[Entry(b"ab", "u1")])
    assert CBOR.decode(definite, PutRecords) == expected
    assert CBOR.decode(INDEFINITE, PutRecords) == expected


def test_json_has_data_in_base64() -> None:
    assert JSON.decode(b'{"Data":"YWI=","PartitionKey":"u1"}', Entry) == Entry(b"ab", "u1")
    assert msgspec.json.decode(JSON.encode({"Data": b"ab"})) == {"Data": "YWI="}


def test_times_are_seconds_in_json_and_milliseconds_in_cbor() -> None:
    assert msgspec.json.decode(JSON.encode({"At": Time(1.5)})) == {"At": 1.5}
    assert cbor2.loads(CBOR.encode({"At": Time(1_700_000_000.1234)})) == {"At": 1_700_000_000_123}
    asked = {"StreamName": "events", "ShardId": "s", "ShardIteratorType": "AT_TIMESTAMP"}
    in_cbor = (
        b"\xa4"
        + cbor2.dumps(asked)[1:]
        + cbor2.dumps("Timestamp")
        + b"\xc1\x1b\x00\x00\x01\x8b\xcf\xe5\x68\x00"
    )
    assert CBOR.decode(in_cbor, GetShardIterator).timestamp == 1_700_000_000
    in_json = msgspec.json.encode(asked | {"Timestamp": 1_700_000_000.5})
    assert JSON.decode(in_json, GetShardIterator).timestamp == 1_700_000_000.5


@pytest.mark.parametrize(
    ("form", "body"),
    [
        (JSON, b"{"),
        (JSON, b'{"Data":"no base64!"}'),
        (JSON, b'{"PartitionKey":1}'),
        (CBOR, b"\xff"),
        (CBOR, b"\xa1"),
        (CBOR, b"\x80"),
        (CBOR, cbor2.dumps({"Data": "text, not bytes"})),
        (CBOR, b"\xa1" + cbor2.dumps("PartitionKey") + b"\x61\xff"),
    ],
)
def test_what_cannot_be_read_is_a_serialization_exception(form: Form, body: bytes) -> None:
    with pytest.raises(Refusal) as refused:
        form.decode(body, Entry)
    assert refused.value.code == "SerializationException"
