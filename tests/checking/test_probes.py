"""The probes against the fake, and where nobody answers: whatever comes is an answer, and holds no secret."""

import socket
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

import botocore.session
import pytest

from headgate.checking.answers import Refused, RegionKnown, Written
from headgate.checking.probes import Probes
from headgate.checking.put import marked_event
from headgate.testing import FailRecords, FailRequests, FakeKinesis

ROLE = "arn:aws:iam::111122223333:role/writer"
SECRET = "kF9-a-secret"
EVENT = marked_event("headgate-check-1", datetime(2026, 11, 24, tzinfo=UTC))

Ask = Callable[..., Probes]


@pytest.fixture
def kinesis() -> Iterator[FakeKinesis]:
    with FakeKinesis(streams={"events": 2}) as kinesis:
        yield kinesis


@pytest.fixture
def probes(kinesis: FakeKinesis, monkeypatch: pytest.MonkeyPatch) -> Ask:
    def asking(region: str = "us-west-2", **environment: str) -> Probes:
        for name, value in (kinesis.environment() | {"AWS_MAX_ATTEMPTS": "1"} | environment).items():
            monkeypatch.setenv(name, value)
        return Probes(botocore.session.get_session(), region, SECRET)

    return asking


@pytest.mark.parametrize("region", ["us-west-2", "cn-north-1", "eusc-de-east-1"])
def test_a_region_that_botocore_lists_is_looked_up_nowhere_else(
    probes: Ask, region: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_: pytest.fail("asked the network"))
    known = probes(region).region()
    assert known.listed
    assert known.partition == {"us": "aws", "cn": "aws-cn", "eusc": "aws-eusc"}[region.partition("-")[0]]


def test_a_name_that_no_region_can_have_has_no_partition(probes: Ask) -> None:
    assert probes("moon-base-1").region() == RegionKnown(None, listed=False)


@pytest.mark.parametrize(
    ("error", "resolves"),
    [
        (None, True),
        (socket.gaierror(socket.EAI_NONAME, "Name or service not known"), False),
        (socket.gaierror(socket.EAI_AGAIN, "Temporary failure in name resolution"), None),
    ],
)
def test_one_that_may_be_new_is_asked_of_the_name_service(
    probes: Ask, monkeypatch: pytest.MonkeyPatch, error: OSError | None, resolves: bool | None
) -> None:
    asking, asked = probes("us-wset-2", AWS_ENDPOINT_URL=""), []
    monkeypatch.delenv("AWS_ENDPOINT_URL")

    def look_up(host: str, *_: object) -> None:
        asked.append(host)
        if error is not None:
            raise error

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    assert asking.region() == RegionKnown("aws", listed=False, near=("us-west-2",), resolves=resolves)
    assert asked == ["kinesis.us-wset-2.amazonaws.com"]


def test_what_aws_quotes_of_the_secret_is_taken_out(probes: Ask, kinesis: FakeKinesis) -> None:
    quoting = f"Value '{SECRET}' at 'externalId' failed to satisfy constraint"
    kinesis.faults.add(FailRequests(code="ValidationError", message=quoting, operations=("AssumeRole",)))
    said = probes().assume(ROLE, SECRET)
    assert said == Refused("ValidationError", "Value '...' at 'externalId' failed to satisfy constraint")


@pytest.mark.parametrize(
    ("environment", "code"),
    [
        ({"AWS_ENDPOINT_URL": "http://127.0.0.1:9"}, "EndpointConnectionError"),
        ({"AWS_ENDPOINT_URL": "no url"}, "ValueError"),
        ({"AWS_PROFILE": "missing"}, "ProfileNotFound"),
        ({"AWS_ACCESS_KEY_ID": "", "AWS_SECRET_ACCESS_KEY": ""}, "NoCredentials"),
    ],
)
def test_where_nobody_answers_that_is_the_answer(probes: Ask, environment: dict[str, str], code: str) -> None:
    said = probes(**environment).caller()
    assert isinstance(said, Refused)
    assert (said.code, said.answered) == (code, False)


class Page(BaseHTTPRequestHandler):
    """Answers all with a page, as a proxy that wants a login does."""

    def do_POST(self) -> None:
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b"<!doctype html><title>Log in</title>")

    def log_message(self, *_: object) -> None:
        """Say nothing."""


def test_an_answer_of_somebody_else_is_none_of_aws(probes: Ask) -> None:
    with ThreadingHTTPServer(("127.0.0.1", 0), Page) as server:
        thread = Thread(target=server.serve_forever)
        thread.start()
        try:
            asking = probes(AWS_ENDPOINT_URL=f"http://127.0.0.1:{server.server_port}")
            for said in (asking.caller(), asking.assume(ROLE, None), asking.trust_policy("writer", None)):
                assert said == Refused("NoAnswerOfAws", "the answer is none of AWS")
        finally:
            server.shutdown()
            thread.join()


def test_a_put_with_dry_run_is_refused_as_that_and_one_without_is_read_back(
    probes: Ask, kinesis: FakeKinesis
) -> None:
    asking = probes()
    refused = asking.put_records("events", EVENT, None, dry_run=True)
    assert isinstance(refused, Refused)
    assert refused.code == "DryRunOperationException"
    assert isinstance(asking.put_record("events", EVENT, None), Refused)
    assert not kinesis.ledger.records()
    where = asking.put_records("events", EVENT, None, dry_run=False)
    assert isinstance(where, Written)
    [record] = kinesis.ledger.records()
    assert (record.data, record.sequence_number) == (EVENT.data, where.sequence_number)
    assert asking.read_back("events", EVENT, where, None) is True


def test_a_record_that_failed_alone_is_a_refusal(kinesis: FakeKinesis, probes: Ask) -> None:
    kinesis.faults.add(FailRecords(code="InternalFailure", message="trouble"))
    assert probes().put_records("events", EVENT, None, dry_run=False) == Refused("InternalFailure", "trouble")


def test_other_regions_are_asked_for_a_stream_and_what_they_refuse_is_left_out(
    probes: Ask, kinesis: FakeKinesis
) -> None:
    assert probes("eu-west-1").regions_with("events", None) == ["us-west-2"]
    assert probes("us-west-2").regions_with("events", None) == []
    assert probes("cn-north-1").regions_with("events", None) == []


def test_credentials_are_those_of_the_role_where_they_are_given(probes: Ask, kinesis: FakeKinesis) -> None:
    kinesis.identities.add_role(ROLE, external_ids=[SECRET], actions=["DescribeStreamSummary"])
    asking = probes()
    credentials: Any = asking.assume(ROLE, SECRET)
    assert not isinstance(asking.stream("events", credentials), Refused)
    denied = asking.stream("events", None)
    assert isinstance(denied, Refused)
    assert denied.denied
