import base64
import json
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headgate.reading.record import Record, json_line


def record(data: bytes, key: str = "user-1") -> Record:
    return Record("4959", key, datetime(2026, 3, 4, 5, 6, 7, 89000, tzinfo=UTC).timestamp(), data)


def line_of(data: bytes, key: str = "user-1") -> bytes:
    return json_line("shardId-000000000003", record(data, key))


def test_one_json_object_on_one_line() -> None:
    assert line_of(b'{"type":"track"}') == (
        b'{"shardId":"shardId-000000000003","sequenceNumber":"4959","partitionKey":"user-1",'
        b'"approximateArrivalTimestamp":"2026-03-04T05:06:07.089Z","event":{"type":"track"}}\n'
    )


@pytest.mark.parametrize(
    "event",
    [
        b'{"n": 1.00000000000000000001, "b":12345678901234567890123}',
        b'{"s":"\\ud800"}',
        b'{"b": 1, "a": 2, "b": 3}',
        '{"name":"Zoë 🎉"}'.encode(),
    ],
)
def test_the_event_stands_there_byte_for_byte(event: bytes) -> None:
    assert line_of(event).endswith(b'"event":' + event + b"}\n")


def test_an_event_of_several_lines_becomes_one() -> None:
    line = line_of(b'{\r\n  "type": "track"\n}')
    assert line.count(b"\n") == 1
    assert json.loads(line)["event"] == {"type": "track"}


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"hello",
        b'{"a":1} x',
        b"\xf3\x89\x9a\xc2",
        b'"\xff"',
        b'["\\ud800", NaN]',
        b"[" * 100_000 + b"]" * 100_000,
    ],
    ids=lambda data: repr(data[:20]),
)
def test_data_that_is_no_json_is_given_in_base64(data: bytes) -> None:
    line = json.loads(line_of(data))
    assert base64.b64decode(line["data"]) == data
    assert "event" not in line


@given(
    st.binary() | st.text().map(str.encode) | st.text().map(lambda text: json.dumps(text).encode()), st.text()
)
def test_any_record_is_one_line_that_says_what_it_held(data: bytes, key: str) -> None:
    key = key.encode(errors="replace").decode()
    line = line_of(data, key)
    assert line.count(b"\n") == 1
    shown = json.loads(line)
    assert shown["partitionKey"] == key
    if "data" in shown:
        assert base64.b64decode(shown["data"]) == data
    else:
        assert shown["event"] == json.loads(data)


@pytest.mark.parametrize(("key", "size"), [("user-1", 8), ("Zoë", 6)])
def test_a_record_s_size_is_its_data_s_and_its_key_s_bytes(key: str, size: int) -> None:
    assert record(b"{}", key).size == size


@given(st.integers(0, 4_102_444_800_000))
def test_the_arrival_is_told_to_the_millisecond(millis: int) -> None:
    shown = json.loads(json_line("shard", Record("1", "a", millis / 1000, b"{}")))
    moment = datetime.fromisoformat(shown["approximateArrivalTimestamp"])
    assert round(moment.timestamp() * 1000) == millis
