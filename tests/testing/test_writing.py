"""PutRecords and PutRecord: what is refused, what fails alone, what is accepted, and what the ledger says."""

import json
from collections import Counter
from hashlib import md5
from threading import RLock
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headgate.testing import FailRecords, FakeKinesis, Faults, Ledger, Limits, LoggedRequest
from headgate.testing.requests import Entry, PutRecords
from headgate.testing.service import Service
from headgate.testing.streams import Stream
from headgate.testing.writing import put_records
from tests.testing.asking import Connection

Puts = list[list[tuple[str, bytes]]]


def entry(data: str = "e30=", key: str = "u1", **more: str) -> dict[str, str]:
    return {"Data": data, "PartitionKey": key} | more


@given(
    puts=st.lists(
        st.lists(st.tuples(st.sampled_from("abcdefgh"), st.binary(max_size=60)), min_size=1, max_size=20),
        min_size=1,
        max_size=10,
    ),
    pauses=st.lists(st.floats(0, 1), min_size=10, max_size=10),
    limits=st.builds(Limits, bytes_per_second=st.floats(10, 500), records_per_second=st.floats(1, 20)),
    chance=st.sampled_from([0.0, 0.3, 1.0]),
    split=st.booleans(),
)
def test_whatever_is_put_is_accepted_or_failed_and_a_shard_has_it_in_order(
    puts: Puts, pauses: list[float], limits: Limits, chance: float, split: bool
) -> None:
    lock, now = RLock(), [1_000.0]
    faults, ledger = Faults(seed=1, clock=lambda: now[0], lock=lock), Ledger("full", lock)
    stream = Stream("events", 3, now=now[0], limits=limits)
    service = Service(
        account="123456789012",
        region="us-west-2",
        clock=lambda: now[0],
        faults=faults,
        ledger=ledger,
        limits=limits,
        max_request_bytes=10 * 2**20,
        dry_run=True,
        creation_seconds=0.0,
        streams={"events": stream},
    )
    faults.add(FailRecords(probability=chance))
    offered, accepted = [], []
    for records, pause in zip(puts, pauses, strict=False):
        now[0] += pause
        log = LoggedRequest(
            service="kinesis",
            operation="PutRecords",
            form="json",
            request_id="r",
            body_bytes=0,
            stream="events",
        )
        request = PutRecords(stream_name="events", records=[Entry(data, key) for key, data in records])
        answer = put_records(service, request, log)
        ledger.log(log)
        offered += records
        assert [("ErrorCode" in each) for each in answer["Records"]] == [
            verdict is not None for verdict in log.verdicts
        ]
        assert answer["FailedRecordCount"] == sum(verdict is not None for verdict in log.verdicts)
        accepted += [
            (each["ShardId"], each["SequenceNumber"], key, data)
            for each, (key, data) in zip(answer["Records"], records, strict=True)
            if "ErrorCode" not in each
        ]
        if split:
            last = stream.open_shards[-1]
            stream.split(last, (last.start + last.end) // 2, now[0])
    totals = ledger.totals("events")
    assert totals.offered_records == len(offered)
    assert totals.offered_bytes == sum(len(key) + len(data) for key, data in offered)
    assert totals.accepted_records == len(accepted)
    assert totals.accepted_records + ledger.errors.total() == totals.offered_records
    written = [
        (each.shard_id, each.sequence_number, each.partition_key, each.data)
        for each in ledger.records("events")
    ]
    assert written == accepted
    for shard in stream.shards:
        numbers = [number for shard_id, number, _, _ in written if shard_id == shard.shard_id]
        assert numbers == sorted(set(numbers))
        assert [each.sequence_number for each in shard.records] == numbers


def test_records_go_to_the_shard_that_owns_their_key(kinesis: FakeKinesis, connection: Connection) -> None:
    keys = [f"user-{number}" for number in range(50)]
    status, answer = connection.json(
        "PutRecords", StreamName="events", Records=[entry(key=key) for key in keys]
    )
    assert (status, answer["FailedRecordCount"], answer["EncryptionType"]) == (200, 0, "NONE")
    quarter = 2**126
    expected = [int(md5(key.encode()).hexdigest(), 16) // quarter for key in keys]
    assert [each["ShardId"] for each in answer["Records"]] == [f"shardId-{at:012d}" for at in expected]


def test_an_explicit_hash_key_counts_more_than_the_partition_key(connection: Connection) -> None:
    ends = [entry(ExplicitHashKey=str(key)) for key in (0, 2**126 - 1, 2**126, 2**128 - 1)]
    _, answer = connection.json("PutRecords", StreamName="events", Records=ends)
    assert [int(each["ShardId"][-1]) for each in answer["Records"]] == [0, 0, 1, 3]


@pytest.mark.parametrize(
    ("members", "code", "says"),
    [
        ({"Records": []}, "ValidationException", "greater than or equal to 1"),
        ({}, "ValidationException", "greater than or equal to 1"),
        ({"Records": [entry()] * 501}, "ValidationException", "less than or equal to 500"),
        ({"Records": [entry(), entry(key="")]}, "ValidationException", "records.2.member.partitionKey"),
        ({"Records": [entry(key="k" * 257)]}, "ValidationException", "less than or equal to 256"),
        ({"Records": [entry(), {"PartitionKey": "k"}]}, "ValidationException", "records.2.member.data"),
        ({"Records": [{"Data": ""}]}, "ValidationException", "partitionKey"),
        ({"Records": [entry("A" * 4 * 349_526)]}, "ValidationException", "1048576"),
        ({"Records": [entry(ExplicitHashKey=str(2**128))]}, "InvalidArgumentException", "ExplicitHashKey"),
        ({"Records": [entry(ExplicitHashKey="007")]}, "InvalidArgumentException", "ExplicitHashKey"),
        ({"Records": [entry("A" * 1_398_000)] * 11}, "InvalidArgumentException", "exceeds 10 MB"),
        (
            {"Records": [entry()], "StreamName": "none"},
            "ResourceNotFoundException",
            "Stream none under account",
        ),
        ({"Records": [entry()], "StreamName": None}, "InvalidArgumentException", "StreamARN or StreamName"),
        ({"Records": [entry("no base64")]}, "SerializationException", "base64"),
    ],
)
def test_a_request_that_is_not_valid_writes_nothing(
    kinesis: FakeKinesis, connection: Connection, members: dict[str, Any], code: str, says: str
) -> None:
    status, answer = connection.json("PutRecords", **({"StreamName": "events"} | members))
    assert (status, answer["__type"]) == (400, code)
    assert says in answer["message"]
    assert kinesis.ledger.records() == []
    assert kinesis.ledger.totals().offered_records == 0
    assert kinesis.ledger.errors == {code: 1}


def test_the_partition_key_counts_towards_the_size_of_a_record(connection: Connection) -> None:
    def put(size: int) -> int:
        return connection.cbor("PutRecord", StreamName="events", Data=b"x" * size, PartitionKey="é" * 10)[0]

    assert put(2**20 - 20) == 200
    assert put(2**20 - 19) == 400


def test_a_partition_key_of_256_characters_is_valid_however_many_bytes_it_has(connection: Connection) -> None:
    assert connection.json("PutRecord", StreamName="events", **entry(key="😀" * 256))[0] == 200


def test_a_stream_with_a_larger_maximum_takes_larger_records(
    kinesis: FakeKinesis, connection: Connection
) -> None:
    kinesis.create_stream("large", max_record_kib=2048)
    assert connection.cbor("PutRecord", StreamName="large", Data=b"x" * 2**20, PartitionKey="u")[0] == 200
    assert connection.cbor("PutRecord", StreamName="large", Data=b"x" * 2**21, PartitionKey="u")[0] == 400


def test_a_dry_run_writes_nothing_and_says_so(kinesis: FakeKinesis, connection: Connection) -> None:
    status, answer = connection.json("PutRecords", StreamName="events", Records=[entry()], DryRun=True)
    assert (status, answer["__type"]) == (400, "DryRunOperationException")
    status, answer = connection.json("PutRecord", StreamName="none", DryRun=True, **entry())
    assert answer["__type"] == "ResourceNotFoundException"
    assert kinesis.ledger.records() == []


def test_an_emulator_ignores_a_dry_run() -> None:
    with FakeKinesis(streams={"events": 1}, dry_run=False, max_request_bytes=5 * 2**20) as emulator:
        connection = Connection(emulator)
        assert connection.json("PutRecord", StreamName="events", DryRun=True, **entry())[0] == 200
        assert len(emulator.ledger.records()) == 1
        large = [entry("A" * 1_398_000)] * 6
        assert "5 MB" in connection.json("PutRecords", StreamName="events", Records=large)[1]["message"]
        connection.close()


def test_throttled_records_fail_alone_and_name_their_shard(
    kinesis: FakeKinesis, connection: Connection
) -> None:
    kinesis.throttle(
        Limits(records_per_second=0.001, burst_seconds=3_000),
        stream="events",
        shard_id="shardId-000000000000",
    )
    low, high = entry(ExplicitHashKey="0"), entry(ExplicitHashKey=str(2**127))
    status, answer = connection.json("PutRecords", StreamName="events", Records=[low, high] * 5)
    assert (status, answer["FailedRecordCount"]) == (200, 2)
    assert ["ErrorCode" in each for each in answer["Records"]] == [False] * 6 + [True, False] * 2
    assert answer["Records"][6] == {
        "ErrorCode": "ProvisionedThroughputExceededException",
        "ErrorMessage": "Rate exceeded for shard shardId-000000000000 in stream events "
        "under account 123456789012.",
    }
    status, answer = connection.json("PutRecord", StreamName="events", **low)
    assert (status, answer["__type"]) == (400, "ProvisionedThroughputExceededException")
    assert kinesis.ledger.errors == {"ProvisionedThroughputExceededException": 3}
    hot = kinesis.ledger.shards("events")["shardId-000000000000"]
    assert (hot.offered_records, hot.accepted_records) == (6, 3)
    kinesis.throttle(Limits())
    assert connection.json("PutRecord", StreamName="events", **low)[0] == 200


def test_records_that_a_fault_strikes_fail_alone(kinesis: FakeKinesis, connection: Connection) -> None:
    records = [entry(key=key) for key in ("u1", "u2", "u1", "u3")]
    with kinesis.faults.add(FailRecords("InternalFailure", partition_key="u1", stream="events")) as fault:
        _, answer = connection.json("PutRecords", StreamName="events", Records=records)
        assert [each.get("ErrorCode") for each in answer["Records"]] == [
            "InternalFailure", None, "InternalFailure", None,
        ]  # fmt: skip
        status, answer = connection.json("PutRecord", StreamName="events", **entry(key="u1"))
        assert (status, answer["__type"]) == (500, "InternalFailure")
        assert fault.struck == 3
    assert connection.json("PutRecords", StreamName="events", Records=records)[1]["FailedRecordCount"] == 0
    assert kinesis.ledger.requests("PutRecords")[0].verdicts == (
        "InternalFailure",
        None,
        "InternalFailure",
        None,
    )


def test_the_ledger_finds_records_by_key_and_message_id(kinesis: FakeKinesis, connection: Connection) -> None:
    def event(message_id: str) -> bytes:
        return json.dumps({"messageId": message_id}).encode()

    for key, data in [("u1", event("m1")), ("u2", event("m2")), ("u1", event("m3")), ("u1", event("m1"))]:
        connection.cbor("PutRecord", StreamName="events", Data=data, PartitionKey=key)
    connection.cbor("PutRecord", StreamName="events", Data=b"no JSON", PartitionKey="u3")
    ledger = kinesis.ledger
    assert [record.message_id for record in ledger.by_partition_key("events")["u1"]] == ["m1", "m3", "m1"]
    assert Counter({key: len(found) for key, found in ledger.by_message_id().items()}) == Counter(
        m1=2, m2=1, m3=1
    )
    assert ledger.duplicates("events") == {"m1": 2}
    assert ledger.duplicates("others") == {}
    request = ledger.requests("PutRecord")[0]
    assert (request.form, request.access_key, request.verdicts) == ("cbor", "AKIATEST", (None,))
    assert ledger.records()[0].request_id == request.request_id


def test_a_ledger_that_counts_says_that_it_has_no_records() -> None:
    with FakeKinesis(streams={"events": 1}, ledger="counts") as kinesis:
        connection = Connection(kinesis)
        connection.json("PutRecord", StreamName="events", **entry())
        connection.close()
        assert kinesis.ledger.totals("events").accepted_records == 1
        assert kinesis.ledger.calls == {"PutRecord": 1}
        with pytest.raises(RuntimeError, match="only counts"):
            kinesis.ledger.records()
        with pytest.raises(RuntimeError, match="only counts"):
            kinesis.ledger.requests()
