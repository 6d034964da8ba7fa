"""CPU of a PutRecords request on our side, beside boto3 and aiohttp: `python -m bench.wire`."""

import asyncio
import os
import random
import ssl
import time
from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from statistics import median
from typing import Any

import aiohttp
import botocore.session
import uvloop
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest, AWSResponse
from botocore.compat import HTTPHeaders
from botocore.credentials import Credentials, ReadOnlyCredentials

from bench.kinesis import standin
from bench.standin import answers
from headgate.delivery.wire.client import Route, Wire
from headgate.delivery.wire.endpoints import endpoint
from headgate.delivery.wire.forms import CBOR, JSON, Form, FormChoice
from headgate.delivery.wire.messages import Answer
from headgate.delivery.wire.signing import Signer
from tests.delivery.wire.kinesis import SessionAt

COUNTS = (1, 60, 500)
"""Records in a request."""
BYTES = 800
"""Data of a record."""
ROUNDS = 9
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


def head(what: str, *columns: str) -> None:
    print(f"| {what} | records | {' | '.join(f'{column} | per record' for column in columns)} |")
    print("|---" * (2 + 2 * len(columns)) + "|")


def show(who: str, count: int, *costs: float) -> None:
    cells = [f"{cost:,.0f} | {cost / count:.2f}" for cost in costs]
    print(f"| {who} | {count} | {' | '.join(cells)} |", flush=True)


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


def main() -> None:
    print(f"CPU of one request in us, and per record. Records of {BYTES} bytes.\n")
    print(
        "| no network | records | build + sign | per record | read | per record |\n|---|---|---|---|---|---|"
    )
    for count in COUNTS:
        for each in FORMS:
            show(f"Headgate {each.name}", count, build_and_sign(each, count), read_answer(each, count))
        show("boto3", count, *boto3_halves(count))
    print()
    head("whole request", "HTTP", "TLS")
    with standin(SHARDS) as plain, standin(SHARDS, tls=True) as secure:
        tls = ssl.create_default_context(cafile=secure.certificate)
        urls = (plain.url, secure.url)
        for count in COUNTS:
            for form in CHOICES:
                costs = [uvloop.run(whole_request(url, tls, form, count)) for url in urls]
                show(f"Headgate {form}", count, *costs)
            for trust_env in (False, True):
                costs = [uvloop.run(with_aiohttp(url, tls, count, trust_env=trust_env)) for url in urls]
                show(f"aiohttp cbor{', trust_env' * trust_env}", count, *costs)
            of = records(count)
            clients = [boto3_client(url, str(secure.certificate)) for url in urls]
            show("boto3", count, *(spent(partial(boto3_put, client, of), 60) for client in clients))


main()
