"""Connections: kept, reset, cut, hanging, refused; both forms, and endpoints that know one of them."""

import asyncio
import http.client
import json
import socket
import time

import aiohttp
import cbor2
import pytest

from headgate.testing import (
    CutAnswer,
    Delay,
    FailRequests,
    FakeKinesis,
    HangConnection,
    Outage,
    ResetConnection,
)
from tests.testing.asking import CBOR, JSON, Connection, headers, signed

RECORD = {"Data": "e30=", "PartitionKey": "u1"}
PUT = json.dumps({"StreamName": "events", "Records": [RECORD]}).encode()


def test_a_connection_is_kept_and_answers_in_the_form_it_was_asked_in(
    kinesis: FakeKinesis, connection: Connection
) -> None:
    body = {"StreamName": "events", "Records": [{"Data": b"\x00\xff", "PartitionKey": "u1"}]}
    status, named, answer = connection.send(PUT, headers("PutRecords"))
    kept = connection.http.sock
    assert (status, named["Content-Type"]) == (200, JSON)
    assert json.loads(answer)["Records"][0].keys() == {"SequenceNumber", "ShardId"}
    assert len(named["x-amzn-RequestId"]) == 36
    status, named, answer = connection.send(cbor2.dumps(body), headers("PutRecords", CBOR))
    assert (status, named["Content-Type"]) == (200, CBOR)
    assert cbor2.loads(answer)["Records"][0].keys() == {"SequenceNumber", "ShardId"}
    assert connection.http.sock is kept
    assert [record.data for record in kinesis.ledger.records()] == [b"{}", b"\x00\xff"]
    assert kinesis.ledger.records()[0].request_id != named["x-amzn-RequestId"]


def test_an_indefinite_cbor_request_of_many_chunks_is_read(
    kinesis: FakeKinesis, connection: Connection
) -> None:
    entry = cbor2.dumps({"Data": b"x" * 20_000, "PartitionKey": "u1"})
    body = b"\xbf" + cbor2.dumps("StreamName") + cbor2.dumps("events") + cbor2.dumps("Records")
    body += b"\x9f" + entry * 300 + b"\xff\xff"
    status, _, answer = connection.send(body, headers("PutRecords", CBOR))
    assert status == 200
    assert len(cbor2.loads(answer)["Records"]) == 300
    assert kinesis.ledger.totals().offered_bytes == 300 * 20_002


def test_an_error_has_its_code_and_message_in_the_form_of_the_request(connection: Connection) -> None:
    for content_type, write, read in [
        (JSON, lambda x: json.dumps(x).encode(), json.loads),
        (CBOR, cbor2.dumps, cbor2.loads),
    ]:
        body = write({"StreamName": "none", "Records": [{"PartitionKey": "u"}]})
        status, named, answer = connection.send(body, headers("PutRecords", content_type))
        assert (status, named["Content-Type"]) == (400, content_type)
        assert named["x-amzn-RequestId"]
        assert read(answer) == {
            "__type": "ResourceNotFoundException",
            "message": "Stream none under account 123456789012 not found.",
        }


def test_errors_can_be_qualified_by_their_namespace() -> None:
    with FakeKinesis(qualified_errors=True) as kinesis:
        connection = Connection(kinesis)
        answer = connection.json("DeleteStream", StreamName="none")[1]
        connection.close()
    assert answer["__type"] == "com.amazonaws.kinesis.v20131202#ResourceNotFoundException"


def test_an_operation_with_no_answer_has_an_empty_body(connection: Connection) -> None:
    status, _, answer = connection.send(b'{"StreamName":"new","ShardCount":1}', headers("CreateStream"))
    assert (status, answer) == (200, b"")


@pytest.mark.parametrize(
    ("support", "status", "content_type", "within"),
    [
        ("415", 415, "text/plain", b"Unsupported"),
        ("SerializationException", 400, JSON, b'"__type":"SerializationException"'),
        ("UnknownOperationException", 400, JSON, b'"__type":"UnknownOperationException"'),
        ("html", 404, "text/html", b"<!DOCTYPE html>"),
    ],
)
def test_an_endpoint_may_know_json_alone(support: str, status: int, content_type: str, within: bytes) -> None:
    with FakeKinesis(streams={"events": 1}, cbor=support) as kinesis:  # type: ignore[arg-type]
        connection = Connection(kinesis)
        got, named, answer = connection.send(b"\xa0", headers("PutRecords", CBOR))
        assert (got, named["Content-Type"]) == (status, content_type)
        assert within in answer
        assert connection.send(PUT, headers("PutRecords"))[0] == 200
        kinesis.cbor = "accepted"
        assert connection.cbor("DescribeStreamSummary", StreamName="events")[0] == 200
        connection.close()


@pytest.mark.parametrize(
    ("operation", "content_type", "authorization", "code"),
    [
        ("PutRecords", JSON, None, "MissingAuthenticationTokenException"),
        ("PutRecords", JSON, "Bearer x", "IncompleteSignatureException"),
        ("PutRecords", JSON, signed(service="sts"), "InvalidSignatureException"),
        ("PutRecords", JSON, signed(region="eu-west-1"), "ResourceNotFoundException"),
        ("PutNothing", JSON, signed(), "UnknownOperationException"),
        ("PutRecords", "application/json", signed(), "UnknownOperationException"),
    ],
)
def test_a_request_that_is_none_of_ours_is_refused(
    kinesis: FakeKinesis,
    connection: Connection,
    operation: str,
    content_type: str,
    authorization: str,
    code: str,
) -> None:
    status, _, answer = connection.send(PUT, headers(operation, content_type, authorization))
    assert (status, json.loads(answer)["__type"]) == (400, code)
    assert kinesis.ledger.records() == []


@pytest.mark.parametrize(
    ("fault", "status", "code"),
    [
        (FailRequests("InternalFailure"), 500, "InternalFailure"),
        (FailRequests("KMSThrottlingException", operations=("PutRecords",)), 400, "KMSThrottlingException"),
        (FailRequests("ExpiredTokenException", access_key="AKIATEST"), 400, "ExpiredTokenException"),
        (FailRequests("ResourceNotFoundException", stream="events"), 400, "ResourceNotFoundException"),
        (FailRequests("SlowDown", "slower", 503), 503, "SlowDown"),
        (Outage(), 503, "ServiceUnavailable"),
        (Outage(500), 500, "InternalFailure"),
    ],
)
def test_a_request_fails_as_it_is_told(
    kinesis: FakeKinesis, connection: Connection, fault: FailRequests | Outage, status: int, code: str
) -> None:
    with kinesis.faults.add(fault):
        got, _, answer = connection.send(PUT, headers("PutRecords"))
        assert (got, json.loads(answer)["__type"]) == (status, code)
        assert json.loads(answer)["message"]
    assert kinesis.ledger.records() == []
    assert connection.send(PUT, headers("PutRecords"))[0] == 200
    assert [request.error for request in kinesis.ledger.requests()] == [code, None]
    assert kinesis.ledger.requests()[0].fault == type(fault).__name__


@pytest.mark.parametrize(
    ("fault", "accepted"),
    [(ResetConnection(), 0), (ResetConnection(accepted=True), 1), (Outage("reset"), 0)],
)
def test_a_connection_is_reset_before_or_after_the_records_are_accepted(
    kinesis: FakeKinesis, connection: Connection, fault: ResetConnection | Outage, accepted: int
) -> None:
    kinesis.faults.add(fault)
    with pytest.raises(ConnectionResetError):
        connection.send(PUT, headers("PutRecords"))
    assert len(kinesis.ledger.records()) == accepted
    assert kinesis.ledger.calls == {"PutRecords": 1}


def test_an_answer_is_cut_in_its_middle(kinesis: FakeKinesis, connection: Connection) -> None:
    kinesis.faults.add(CutAnswer(times=1))
    with pytest.raises(http.client.IncompleteRead) as cut:
        connection.send(PUT, headers("PutRecords"))
    assert cut.value.partial.startswith(b'{"FailedRecordCount":0')
    assert len(kinesis.ledger.records()) == 1


@pytest.mark.parametrize("accepted", [False, True])
def test_an_answer_hangs_until_the_client_has_had_enough(kinesis: FakeKinesis, accepted: bool) -> None:
    kinesis.faults.add(HangConnection(accepted=accepted, times=1))
    impatient = Connection(kinesis, timeout=0.2)
    with pytest.raises(TimeoutError):
        impatient.send(PUT, headers("PutRecords"))
    impatient.close()
    assert len(kinesis.ledger.records()) == accepted
    patient = Connection(kinesis)
    assert patient.send(PUT, headers("PutRecords"))[0] == 200
    patient.close()


def test_a_delayed_request_is_accepted_after_its_delay(kinesis: FakeKinesis, connection: Connection) -> None:
    kinesis.faults.add(Delay(0.2, operations=("PutRecords",)))
    began = time.monotonic()
    connection.send(PUT, headers("PutRecords"))
    assert time.monotonic() - began >= 0.2
    connection.json("PutRecord", StreamName="events", **RECORD)
    [delayed, at_once] = kinesis.ledger.requests()
    assert (delayed.fault, at_once.fault) == (None, None)


def test_connections_are_refused_for_a_while_and_the_address_stays(
    kinesis: FakeKinesis, connection: Connection
) -> None:
    connection.send(PUT, headers("PutRecords"))
    with kinesis.refuse_connections():
        with pytest.raises(ConnectionResetError):
            assert connection.http.sock.recv(1)
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(("127.0.0.1", kinesis.server.port), timeout=5)
    connection.close()
    assert connection.send(PUT, headers("PutRecords"))[0] == 200


def test_a_port_that_is_taken_is_an_error_and_leaves_no_thread(kinesis: FakeKinesis) -> None:
    with pytest.raises(OSError, match=r"[Aa]ddress"), FakeKinesis(port=kinesis.server.port):
        pass


async def test_it_serves_on_the_running_loop_too() -> None:
    async with FakeKinesis(streams={"events": 1}) as kinesis, aiohttp.ClientSession() as http:
        async with http.post(kinesis.url, data=PUT, headers=headers("PutRecords")) as answer:
            assert answer.status == 200
        async with kinesis.refuse_connections():
            with pytest.raises(aiohttp.ClientConnectionError):
                await http.post(kinesis.url, data=PUT, headers=headers("PutRecords"))
        kinesis.faults.add(HangConnection())
        with pytest.raises(asyncio.TimeoutError):
            await http.post(
                kinesis.url, data=PUT, headers=headers("PutRecords"), timeout=aiohttp.ClientTimeout(0.1)
            )
        with pytest.raises(RuntimeError, match="from a thread"):
            kinesis.until(lambda _: True)
        with pytest.raises(RuntimeError, match="async with"), kinesis.refuse_connections():
            pass
    assert len(kinesis.ledger.records()) == 1


def test_waiting_for_the_ledger_ends_with_what_it_says_or_with_an_error(
    kinesis: FakeKinesis, connection: Connection
) -> None:
    connection.send(PUT, headers("PutRecords"))
    kinesis.until(lambda ledger: ledger.totals("events").accepted_records == 1)
    with pytest.raises(TimeoutError, match="'PutRecords': 1"):
        kinesis.until(lambda ledger: ledger.calls["AssumeRole"], seconds=0.02)


def test_after_a_reset_all_is_as_at_the_start(kinesis: FakeKinesis, connection: Connection) -> None:
    kinesis.create_stream("more")
    kinesis.faults.add(FailRequests())
    kinesis.identities.deny("PutRecords")
    connection.send(PUT, headers("PutRecords"))
    kinesis.reset()
    assert kinesis.ledger.calls == {}
    assert connection.send(PUT, headers("PutRecords"))[0] == 200
    assert connection.json("DescribeStreamSummary", StreamName="more")[0] == 400
