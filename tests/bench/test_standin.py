"""The stand-in for Kinesis puts records where the fake puts them, in both forms of the protocol."""

import json
from base64 import b64encode
from dataclasses import dataclass
from typing import Any

import cbor2
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.kinesis import standin
from bench.standin import keys
from bench.standin.answers import CBOR, JSON, Answers
from bench.standin.connection import Answer as HttpAnswer
from bench.standin.connection import Connection as HttpConnection
from bench.standin.connection import Request
from bench.wire.__main__ import boto3_client as client_at
from headgate.delivery.wire import forms
from headgate.delivery.wire.messages import Answer
from headgate.shards import list_shards
from headgate.testing import FakeKinesis
from tests.testing.asking import Connection, boto3_client

KEYS = [
    "u",
    *(f"user-{number}" for number in range(480)),
    *("k" * length for length in (23, 24, 255, 256)),
    "Zoë",
    "日本語" * 40,
    'say "hello"',
    "back\\slash",
    '","PartitionKey":"',
    "lPartitionKey",
]
DATA = [b"", b"x" * 800, b"\x6cPartitionKey\x61u", b'"PartitionKey":"u"']


@dataclass
class Record:
    data: bytes
    partition_key: str


def entries() -> list[dict[str, Any]]:
    return [{"Data": DATA[at % len(DATA)], "PartitionKey": key} for at, key in enumerate(KEYS)]


@pytest.mark.parametrize("shards", [1, 4, 7, 256])
def test_both_forms_name_the_shards_that_the_fake_names(shards: int) -> None:
    with FakeKinesis(streams={"events": shards}) as fake:
        connection = Connection(fake)
        _, answered = connection.cbor("PutRecords", StreamName="events", Records=entries())
        connection.close()
    expected = [record["ShardId"] for record in answered["Records"]]
    assert len(set(expected)) > shards // 2
    answers, records = Answers(shards), [Record(each["Data"], each["PartitionKey"]) for each in entries()]
    for form, headgates in ((CBOR, forms.CBOR), (JSON, forms.JSON)):
        status, body = answers.answer("PutRecords", form, headgates.put_records("events", records))
        read = headgates.read_put_records(body, len(records))
        assert status == 200
        assert isinstance(read, Answer)
        assert list(read.shard_ids) == expected
    assert answers.records == 2 * len(KEYS)


@given(
    st.lists(
        st.tuples(st.binary(max_size=40), st.text(st.characters(exclude_categories=["Cs"]), max_size=40)),
        max_size=30,
    )
)
def test_keys_are_found_however_a_client_spells_its_requests(records: list[tuple[bytes, str]]) -> None:
    expected = [key.encode() for _, key in records]
    swapped = [{"PartitionKey": key, "Data": data} for data, key in records]
    for each in ([{"Data": data, "PartitionKey": key} for data, key in records], swapped):
        assert keys.of_cbor(cbor2.dumps({"StreamName": "events", "Records": each})) == expected
        texts = [{**entry, "Data": "AAEC"} for entry in each]
        for ascii_only, separators in ((True, (", ", ": ")), (False, (",", ":"))):
            body = json.dumps(
                {"Records": texts, "StreamName": "events"}, ensure_ascii=ascii_only, separators=separators
            )
            assert keys.of_json(body.encode()) == expected


def ask_everything(kinesis: Any) -> list[Any]:
    """Call each operation that the stand-in knows; return where it says that records are."""
    put = kinesis.put_records(StreamName="events", Records=entries())
    one = kinesis.put_record(StreamName="events", Data=b"x", PartitionKey="Zoë")
    summary = kinesis.describe_stream_summary(StreamName="events")["StreamDescriptionSummary"]
    return [
        [record["ShardId"] for record in put["Records"]],
        one["ShardId"],
        [(shard["ShardId"], shard["HashKeyRange"]) for shard in list_shards(kinesis, "events")],
        summary["OpenShardCount"],
    ]


@pytest.mark.parametrize("tls", [False, True])
def test_awss_own_sdk_is_answered_with_the_fakes_shards(tls: bool) -> None:
    with FakeKinesis(streams={"events": 3}) as fake, standin(3, tls=tls, latency=0.001) as at:
        of_fake = boto3_client(fake)
        client = client_at(at.url, str(at.certificate) if tls else None)
        assert ask_everything(client) == ask_everything(of_fake)
        with pytest.raises(client.exceptions.ClientError, match="UnknownOperationException"):
            client.delete_stream(StreamName="events")
        assert at.records() == len(KEYS) + 1
        assert at.described() == 1
        assert 0 < at.cpu() < 60
        client.close()
        of_fake.close()


class Transport:
    def __init__(self) -> None:
        self.written = b""

    def write(self, data: bytes) -> None:
        self.written += data


@pytest.mark.parametrize("piece", [1, 7, 10_000])
def test_a_request_is_read_in_whatever_pieces_it_comes(piece: int) -> None:
    asked: list[Request] = []

    def answer(request: Request) -> HttpAnswer:
        asked.append(request)
        return HttpAnswer(200, "application/json", b"{}")

    connection, transport = HttpConnection(answer), Transport()
    connection.connection_made(transport)  # type: ignore[arg-type]
    body = b64encode(b"\r\n\r\n" * 30)
    head = b"POST / HTTP/1.1\r\nhost: x\r\nX-AMZ-Target:Kinesis_1.PutRecords\r\ncontent-Type: a/b\r\n"
    for number in range(1, 4):
        sent = head + b"Content-Length: %d\r\n\r\n" % len(body) + body
        for at in range(0, len(sent), piece):
            connection.data_received(sent[at : at + piece])
        assert asked == [Request("/", "PutRecords", "a/b", body)] * number
        assert transport.written.count(b"HTTP/1.1 200 ") == number
