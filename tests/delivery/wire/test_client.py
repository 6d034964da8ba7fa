"""The wire as delivery uses it, against a server that answers as a script says."""

import logging
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, cast

import cbor2
import pytest
from botocore.credentials import ReadOnlyCredentials

from headgate.delivery.wire.client import Route, Wire, trusted
from headgate.delivery.wire.connection import NetworkError
from headgate.delivery.wire.faults import Fault, Verdict
from headgate.delivery.wire.forms import FormChoice
from headgate.delivery.wire.messages import Answer
from headgate.errors import UsageError
from tests.delivery.wire.kinesis import (
    CBOR_TYPE,
    CREDENTIALS,
    JSON_TYPE,
    One,
    Respond,
    Server,
    SessionAt,
    always,
    fails,
    http,
    in_form_of,
    serving,
    takes,
)

RECORDS = [One(b"\xff\x00", "a"), One(b"two", "ü\U0001f600")]
AUTO, ONLY_CBOR, ONLY_JSON = (
    Route("us-west-2", "events", cast("FormChoice", form)) for form in ("auto", "cbor", "json")
)


@asynccontextmanager
async def wired(*script: Respond, answer_within: float = 20) -> AsyncIterator[tuple[Wire, Server]]:
    async with serving(*script) as server:
        wire = Wire(SessionAt(server.url), tls=ssl.create_default_context(), answer_within=answer_within)
        try:
            yield wire, server
        finally:
            await wire.close()


def forms_of(server: Server) -> list[str]:
    names = {CBOR_TYPE: "cbor", JSON_TYPE: "json"}
    return [names[request.headers["content-type"]] for request in server.requests]


@pytest.mark.parametrize("route", [AUTO, ONLY_CBOR, ONLY_JSON], ids=lambda route: route.form)
async def test_every_record_is_sent_and_its_shard_is_told(route: Route) -> None:
    async with wired(takes) as (wire, server):
        answer = await wire.put_records(route, CREDENTIALS, RECORDS)
        assert answer == Answer({}, ["shardId-000000000000", "shardId-000000000001"])
        assert await wire.put_record(route, CREDENTIALS, RECORDS[0]) == Answer({}, ("shardId-000000000000",))
    assert forms_of(server) == ["json" if route.form == "json" else "cbor"] * 2
    targets = [request.headers["x-amz-target"] for request in server.requests]
    assert targets == ["Kinesis_20131202.PutRecords", "Kinesis_20131202.PutRecord"]
    assert {request.headers["x-amz-security-token"] for request in server.requests} == {"a-token"}
    if route.form != "json":
        assert server.requests[0].decoded["Records"][0] == {"Data": b"\xff\x00", "PartitionKey": "a"}


NOT_CBOR: list[Respond] = [
    fails("SerializationException"),
    fails("com.amazon.coral.service#UnknownOperationException"),
    always(http(b'{"__type":"SerializationException"}', 400)),
    always(http(b"<html>Unsupported Media Type</html>", 415)),
    always(http(b"", 415)),
    fails("NeverHeardOf", 415),
    always(http(b"<html>oh</html>", 500)),
    always(http(b"<html>hello</html>", 200)),
    always(http(b'{"Records":[{"ShardId":"s"},{"ShardId":"s"}]}', 200)),
    always(http(b"", 404)),
]


@pytest.mark.parametrize("refusal", NOT_CBOR)
async def test_an_endpoint_that_does_not_take_cbor_gets_json_at_once_and_from_then_on(
    refusal: Respond, caplog: pytest.LogCaptureFixture
) -> None:
    async with wired(refusal, takes) as (wire, server):
        assert isinstance(await wire.put_records(AUTO, CREDENTIALS, RECORDS), Answer)
        assert forms_of(server) == ["cbor", "json"]
        assert isinstance(await wire.put_records(AUTO, CREDENTIALS, RECORDS), Answer)
        assert isinstance(
            await wire.put_record(Route("us-west-2", "another"), CREDENTIALS, RECORDS[0]), Answer
        )
        assert isinstance(await wire.put_records(ONLY_CBOR, CREDENTIALS, RECORDS), Answer)
        assert forms_of(server) == ["cbor", "json", "json", "json", "cbor"]
    [said] = [record for record in caplog.records if record.levelno == logging.WARNING]
    assert said.__dict__["endpoint"] == server.url


@pytest.mark.parametrize("status", [200, 403, 500])
async def test_after_an_endpoint_took_cbor_a_page_in_between_does_not_move_it(status: int) -> None:
    async with wired(takes, always(http(b"<html>oh</html>", status)), takes) as (wire, server):
        answers = [await wire.put_records(AUTO, CREDENTIALS, RECORDS) for _ in range(3)]
        assert [type(answer) for answer in answers] == [Answer, Fault, Answer]
        assert forms_of(server) == ["cbor"] * 3


async def test_after_an_endpoint_took_cbor_a_plain_refusal_still_moves_it() -> None:
    async with wired(takes, fails("UnknownOperationException"), takes) as (wire, server):
        for _ in range(2):
            assert isinstance(await wire.put_records(AUTO, CREDENTIALS, RECORDS), Answer)
        assert forms_of(server) == ["cbor", "cbor", "json"]


@pytest.mark.parametrize(
    ("answer", "code", "verdict"),
    [
        (fails("InternalFailure", 500), "InternalFailure", Verdict.RETRY),
        (lambda request: in_form_of(request, {}, 503), "HTTP503", Verdict.RETRY),
        (fails("ServiceUnavailable", 503), "ServiceUnavailable", Verdict.RETRY),
        (always(http(b"<html>Bad Gateway</html>", 502)), "HTTP502", Verdict.RETRY),
        (always(http(b"<html>Too Large</html>", 413)), "HTTP413", Verdict.SPLIT),
        (always(http(b"slow down", 429)), "HTTP429", Verdict.THROTTLED),
        (always(http(b'{"__type":"AccessDeniedException"}', 403)), "AccessDeniedException", Verdict.PAUSE),
        (fails("ValidationException"), "ValidationException", Verdict.SPLIT),
        (lambda request: in_form_of(request, {"Records": []}), "BadAnswer", Verdict.RETRY),
    ],
)
async def test_a_fault_that_says_nothing_of_the_form_is_the_callers(
    answer: Respond, code: str, verdict: Verdict
) -> None:
    async with wired(answer) as (wire, server):
        fault = await wire.put_records(AUTO, CREDENTIALS, RECORDS)
        assert isinstance(fault, Fault)
        assert (fault.code, fault.verdict, fault.sent) == (code, verdict, True)
        assert forms_of(server) == ["cbor"]


@pytest.mark.parametrize("route", [ONLY_CBOR, ONLY_JSON], ids=lambda route: route.form)
@pytest.mark.parametrize("refusal", NOT_CBOR[:1] + NOT_CBOR[3:8])
async def test_a_form_that_was_chosen_is_kept_and_sent_once(route: Route, refusal: Respond) -> None:
    async with wired(refusal) as (wire, server):
        assert isinstance(await wire.put_records(route, CREDENTIALS, RECORDS), Fault)
        assert forms_of(server) == [route.form]


async def test_what_json_cannot_carry_either_is_not_sent_for_ever() -> None:
    async with wired(fails("SerializationException")) as (wire, server):
        for _ in range(2):
            fault = await wire.put_records(AUTO, CREDENTIALS, RECORDS)
            assert isinstance(fault, Fault)
            assert fault.verdict is Verdict.SPLIT
        assert forms_of(server) == ["cbor", "json", "json"]


async def test_what_failed_is_told_by_its_index_and_never_with_the_text() -> None:
    def answer(request: Any) -> bytes:
        entry = {"ErrorCode": "InternalFailure", "ErrorMessage": "account 111122223333"}
        return in_form_of(request, {"Records": [entry, {"SequenceNumber": "1", "ShardId": "s"}]})

    async with wired(answer) as (wire, _):
        for route in (ONLY_CBOR, ONLY_JSON):
            told = await wire.put_records(route, CREDENTIALS, RECORDS)
            assert told == Answer({0: "InternalFailure"}, [None, "s"])


async def test_a_key_that_is_no_unicode_text_is_an_invalid_record_and_never_leaves() -> None:
    async with wired(takes) as (wire, server):
        for route in (ONLY_CBOR, ONLY_JSON):
            fault = await wire.put_records(route, CREDENTIALS, [One(b"d", "\udc80")])
            assert isinstance(fault, Fault)
            assert (fault.verdict, fault.sent) == (Verdict.SPLIT, False)
        assert server.requests == []


@pytest.mark.parametrize(
    "credentials",
    [
        CREDENTIALS._replace(token="token\n"),
        CREDENTIALS._replace(access_key="AKID\r\nX-Amz-Target: another"),
        CREDENTIALS._replace(secret_key="s\udcff"),
        CREDENTIALS._replace(token="t\u20ac"),
    ],
)
async def test_credentials_that_no_header_can_hold_are_somebodys_to_mend_and_blame_no_record(
    credentials: ReadOnlyCredentials,
) -> None:
    async with wired(takes) as (wire, server):
        fault = await wire.put_records(AUTO, credentials, RECORDS)
        assert isinstance(fault, Fault)
        assert (fault.verdict, fault.code, fault.sent) == (Verdict.PAUSE, "InvalidCredentials", False)
        assert server.requests == []


async def test_a_network_fault_tells_whether_kinesis_may_have_the_records() -> None:
    async with wired(always(None)) as (wire, _):
        lost = await wire.put_records(AUTO, CREDENTIALS, RECORDS)
    assert isinstance(lost, Fault)
    assert (lost.verdict, lost.code, lost.sent) == (Verdict.RETRY, "ConnectionLost", True)

    wire = Wire(SessionAt("http://127.0.0.1:1"), tls=ssl.create_default_context())
    refused = await wire.put_records(AUTO, CREDENTIALS, RECORDS)
    await wire.close()
    assert isinstance(refused, Fault)
    assert (refused.verdict, refused.code, refused.sent) == (Verdict.RETRY, "ConnectFailed", False)


async def test_what_was_answered_once_may_be_in_even_when_json_finds_nobody() -> None:
    async with serving(always(http(b"<html>", 200, "Connection: close\r\n"))) as server:
        wire = Wire(SessionAt(server.url), tls=ssl.create_default_context())
        connect = wire._pool._connect
        attempts: list[Any] = []

        async def once(endpoint: Any) -> Any:
            attempts.append(endpoint)
            if len(attempts) > 1:
                raise NetworkError("ConnectFailed", "as the test wants it", sent=False)
            return await connect(endpoint)

        wire._pool._connect = once  # type: ignore[method-assign]
        fault = await wire.put_records(AUTO, CREDENTIALS, RECORDS)
        await wire.close()
    assert isinstance(fault, Fault)
    assert (fault.code, fault.sent, len(attempts)) == ("ConnectFailed", True, 2)


async def test_a_region_without_an_endpoint_is_somebodys_to_mend() -> None:
    async with wired(takes) as (wire, server):
        fault = await wire.put_records(Route("no region", "events"), CREDENTIALS, RECORDS)
        assert isinstance(fault, Fault)
        assert (fault.verdict, fault.code, fault.sent) == (Verdict.PAUSE, "InvalidRegionError", False)
        assert server.requests == []


async def test_requests_are_signed_by_the_clock_that_is_passed_in() -> None:
    async with serving(takes) as server:
        wire = Wire(SessionAt(server.url), tls=ssl.create_default_context(), now=lambda: 1_800_000_000.0)
        await wire.put_records(AUTO, CREDENTIALS, RECORDS)
        await wire.close()
    [request] = server.requests
    assert request.headers["x-amz-date"] == "20270115T080000Z"
    assert "Credential=AKIDEXAMPLE/20270115/us-west-2/kinesis/" in request.headers["authorization"]
    assert cbor2.loads(request.body)["StreamName"] == "events"


@pytest.mark.parametrize("content", [None, "no certificate"])
def test_a_bundle_of_authorities_that_cannot_be_read_is_named(tmp_path: Path, content: str | None) -> None:
    bundle = tmp_path / "bundle.pem"
    if content:
        bundle.write_text(content)
    session = SessionAt("https://localhost")
    session.set_config_variable("ca_bundle", str(bundle))
    with pytest.raises(UsageError, match=r"bundle\.pem"):
        trusted(session)
