"""CPU of a PutRecords request on our side, beside boto3 and aiohttp: `python -m bench.wire`."""

import asyncio
import os
import random
import ssl
import time
from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any

import aiohttp
import botocore.session
import uvloop
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest, AWSResponse
from botocore.compat import HTTPHeaders
from botocore.credentials import Credentials, ReadOnlyCredentials

from bench.budgets import conclude
from bench.kinesis import standin
from bench.results import OURS, Row
from bench.standin import answers
from bench.wire.report import BUILD, COUNTS, READ, WHOLE, report
from headgate.delivery.wire.client import Route, Wire
from headgate.delivery.wire.endpoints import endpoint
from headgate.delivery.wire.forms import CBOR, JSON, Form, FormChoice
from headgate.delivery.wire.messages import Answer
from headgate.delivery.wire.signing import Signer
from tests.delivery.wire.kinesis import SessionAt

BYTES = 800
"""Data of a record."""
ROUNDS = 5
AT_ONCE = 4
"""Requests in flight, where there is a network."""
SHARDS = 8
REGION = "us-west-2"
KEYS = ReadOnlyCredentials("AKIDEXAMPLE", "s" * 40, "t" * 400, None)
FORMS: tuple[Form, ...] = (CBOR, JSON)
CHOICES: tuple[FormChoice, ...] = ("cbor", "json")


@dataclass
class Record:
    data: bytes
    partition_key: str


def records(count: int) -> list[Record]:
    return [Record(os.urandom(BYTES), f"user-{random.randrange(10**6)}") for _ in range(count)]


def spent(work: Callable[[], object], times: int) -> float:
    """Return the CPU of one call in microseconds: the median of several rounds."""
    rounds = []
    for _ in range(ROUNDS):
        began = time.process_time()
        for _ in range(times):
            work()
        rounds.append((time.process_time() - began) / times * 1e6)
    return median(rounds)


def build_and_sign(form: Form, count: int) -> float:
    place, signer, of = endpoint("https://kinesis.us-west-2.amazonaws.com", REGION), Signer(), records(count)

    def work() -> None:
        body = form.put_records("events", of)
        signer.headers(place, KEYS, "PutRecords", form.content_type, body)

    return spent(work, 3000 // count)


def read_answer(form: Form, count: int) -> float:
    body = accepted(answers.FORMS[form.content_type], records(count))
    answer = form.read_put_records(body, count)
    assert isinstance(answer, Answer)
    assert len(answer.shard_ids) == count
    return spent(lambda: form.read_put_records(body, count), 3000 // count)


class Canned:
    """The raw answer that botocore reads."""

    def __init__(self, body: bytes) -> None:
        self._body = body

    def stream(self) -> Iterator[bytes]:
        yield self._body


def boto3_client(url: str, verify: str | None = None) -> Any:
    return botocore.session.Session().create_client(
        "kinesis",
        region_name=REGION,
        endpoint_url=url,
        verify=verify,
        aws_access_key_id=KEYS.access_key,
        aws_secret_access_key=KEYS.secret_key,
        aws_session_token=KEYS.token,
    )


def boto3_put(client: Any, of: list[Record]) -> None:
    entries = [{"Data": each.data, "PartitionKey": each.partition_key} for each in of]
    client.put_records(StreamName="events", Records=entries)


def boto3_halves(count: int) -> tuple[float, float]:
    """Return what boto3 spends until a request would leave, and from when its answer is there."""
    client = boto3_client("https://kinesis.us-west-2.amazonaws.com")
    body, left = accepted(answers.JSON, records(count)), []

    def before_send(request: Any, **_: Any) -> AWSResponse:
        left.append(time.process_time())
        return AWSResponse(request.url, 200, HTTPHeaders(), Canned(body))

    client.meta.events.register("before-send.kinesis.PutRecords", before_send)
    of, before, after = records(count), [], []
    for _ in range(max(50, 900 // count)):
        began = time.process_time()
        boto3_put(client, of)
        ended = time.process_time()
        before.append((left[-1] - began) * 1e6)
        after.append((ended - left[-1]) * 1e6)
    return median(before), median(after)


async def spent_in_flight(send: Callable[[], Awaitable[object]], requests: int) -> float:
    """Return the CPU of one request in microseconds, with several in flight at a time."""

    async def lane() -> None:
        for _ in range(requests // AT_ONCE):
            await send()

    rounds = []
    for _ in range(ROUNDS):
        began = time.process_time()
        await asyncio.gather(*(lane() for _ in range(AT_ONCE)))
        rounds.append((time.process_time() - began) / (requests // AT_ONCE * AT_ONCE) * 1e6)
    return median(rounds[1:])


async def whole_request(url: str, tls: ssl.SSLContext, form: FormChoice, count: int) -> float:
    wire, route, of = Wire(SessionAt(url), tls=tls), Route(REGION, "events", form), records(count)

    async def send() -> None:
        answer = await wire.put_records(route, KEYS, of)
        assert isinstance(answer, Answer), answer

    try:
        return await spent_in_flight(send, 6000 // (count + 5))
    finally:
        await wire.close()


async def with_aiohttp(url: str, tls: ssl.SSLContext, count: int, *, trust_env: bool) -> float:
    """Return the cost of the same CBOR request when botocore signs it whole and aiohttp carries it."""
    of, signing = records(count), Credentials(KEYS.access_key or "", KEYS.secret_key or "", KEYS.token)
    connector = aiohttp.TCPConnector(limit=0, ssl=tls)
    async with aiohttp.ClientSession(trust_env=trust_env, connector=connector) as http:

        async def send() -> None:
            body = CBOR.put_records("events", of)
            headers = {"Content-Type": CBOR.content_type, "X-Amz-Target": "Kinesis_20131202.PutRecords"}
            request = AWSRequest("POST", url, headers=headers, data=body)
            SigV4Auth(signing, "kinesis", REGION).add_auth(request)
            async with http.post(url, data=body, headers=dict(request.headers.items())) as answer:
                assert isinstance(CBOR.read_put_records(await answer.read(), count), Answer)

        return await spent_in_flight(send, 6000 // (count + 5))


def accepted(form: answers.Form, of: Sequence[Record]) -> bytes:
    """Return what Kinesis answers when it takes records."""
    return answers.Answers(SHARDS).put_records(form, [each.partition_key.encode() for each in of])


def without_network() -> list[Row]:
    rows = []
    for each in FORMS:
        build, read = Row(f"{OURS}, {each.name.upper()}", BUILD), Row(f"{OURS}, {each.name.upper()}", READ)
        for count in COUNTS:
            build.add(**per_record(count, build_and_sign(each, count)))
            read.add(**per_record(count, read_answer(each, count)))
        rows += [build, read]
    build, read = Row("boto3", BUILD), Row("boto3", READ)
    for count in COUNTS:
        before, after = boto3_halves(count)
        build.add(**per_record(count, before))
        read.add(**per_record(count, after))
    return [*rows, build, read]


def with_network(url: str, to: str, certificate: Path | None) -> list[Row]:
    tls = ssl.create_default_context(cafile=certificate)
    ways: dict[str, Callable[[int], float]] = {
        f"{OURS}, {form.upper()}": partial(ours, url, tls, form) for form in CHOICES
    }
    ways["the same CBOR, signed by botocore, sent by aiohttp"] = partial(others, url, tls, proxies=False)
    ways["the same, looking for proxies"] = partial(others, url, tls, proxies=True)
    client = boto3_client(url, str(certificate) if certificate else None)
    ways["boto3"] = lambda count: spent(partial(boto3_put, client, records(count)), 60)
    rows = [Row(who, WHOLE, to) for who in ways]
    for row in rows:
        for count in COUNTS:
            row.add(**per_record(count, ways[row.who](count)))
    return rows


def ours(url: str, tls: ssl.SSLContext, form: FormChoice, count: int) -> float:
    return uvloop.run(whole_request(url, tls, form, count))


def others(url: str, tls: ssl.SSLContext, count: int, *, proxies: bool) -> float:
    return uvloop.run(with_aiohttp(url, tls, count, trust_env=proxies))


def per_record(count: int, request: float) -> dict[str, float]:
    return {str(count): request / count}


def main() -> None:
    rows = without_network()
    with standin(SHARDS) as plain, standin(SHARDS, tls=True) as secure:
        rows += with_network(plain.url, "HTTP", None)
        rows += with_network(secure.url, "TLS", secure.certificate)
    conclude("wire", report, rows, rounds=ROUNDS, at_once=AT_ONCE, bytes=BYTES)


if __name__ == "__main__":
    main()
