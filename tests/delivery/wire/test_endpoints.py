"""Endpoints, against where botocore itself sends PutRecords."""

import asyncio
from collections.abc import Iterator
from typing import Any

import botocore.session
import pytest
from botocore.awsrequest import AWSResponse
from botocore.config import Config

from headgate.delivery.wire.endpoints import EndpointError, Endpoints, endpoint
from headgate.delivery.wire.faults import Verdict


@pytest.fixture(autouse=True)
def surroundings(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_KINESIS", "AWS_PROFILE", "HTTPS_PROXY", "HTTP_PROXY"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)
    monkeypatch.setenv("AWS_CONFIG_FILE", "/dev/null")


class Empty:
    def stream(self) -> Iterator[bytes]:
        yield b"{}"


def where_botocore_sends(region: str) -> tuple[str, str]:
    """Return the URL, and the region in the signature, of a PutRecords of boto3's own client."""
    client = botocore.session.Session().create_client(
        "kinesis",
        region_name=region,
        aws_access_key_id="a",
        aws_secret_access_key="s",
        config=Config(retries={"total_max_attempts": 1}),
    )
    sent: list[tuple[str, str]] = []

    def before_send(request: Any, **_: Any) -> AWSResponse:
        sent.append((request.url, str(request.headers["Authorization"]).split("/")[2]))
        return AWSResponse(request.url, 200, {}, Empty())

    client.meta.events.register("before-send.kinesis.PutRecords", before_send)
    client.put_records(StreamName="s", Records=[{"Data": b"d", "PartitionKey": "k"}])
    return sent[0]


LOCAL, VPC = "http://localhost:4566", "https://vpce-1.example:444/path"


@pytest.mark.parametrize(
    ("region", "environment"),
    [
        ("us-west-2", {}),
        ("cn-north-1", {}),
        ("mars-north-1", {}),
        ("us-west-2", {"AWS_USE_FIPS_ENDPOINT": "true"}),
        ("us-gov-west-1", {"AWS_USE_FIPS_ENDPOINT": "true", "AWS_USE_DUALSTACK_ENDPOINT": "true"}),
        ("cn-north-1", {"AWS_USE_DUALSTACK_ENDPOINT": "true"}),
        ("us-west-2", {"AWS_ENDPOINT_URL": LOCAL}),
        ("us-west-2", {"AWS_ENDPOINT_URL": LOCAL, "AWS_ENDPOINT_URL_KINESIS": VPC}),
        ("us-west-2", {"AWS_ENDPOINT_URL_KINESIS": VPC + "/"}),
        ("us-west-2", {"AWS_ENDPOINT_URL": LOCAL, "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS": "true"}),
    ],
    ids=str,
)
async def test_a_region_s_endpoint_is_where_botocore_sends(
    region: str, environment: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    found = await Endpoints(botocore.session.Session()).of(region)
    assert (found.url, found.region) == where_botocore_sends(region)


async def test_it_asks_for_no_credentials_and_resolves_a_region_once(monkeypatch: pytest.MonkeyPatch) -> None:
    session = botocore.session.Session()
    monkeypatch.setattr(session, "get_credentials", lambda: pytest.fail("it looked for credentials"))
    known = Endpoints(session)
    first, again = await asyncio.gather(known.of("us-west-2"), known.of("us-west-2"))
    monkeypatch.setattr(session, "create_client", lambda *_, **__: pytest.fail("it made another client"))
    assert first == again == await known.of("us-west-2")


@pytest.mark.parametrize(
    ("region", "url"),
    [
        ("us_west", None),
        ("", None),
        ("us-west-2", "not a url"),
        ("us-west-2", "ftp://x/"),
        ("us-west-2", "http://x/ü"),
    ],
)
async def test_what_has_no_endpoint_is_somebodys_to_mend(
    region: str, url: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    if url:
        monkeypatch.setenv("AWS_ENDPOINT_URL_KINESIS", url)
    with pytest.raises(EndpointError) as raised:
        await Endpoints(botocore.session.Session()).of(region)
    assert (raised.value.fault.verdict, raised.value.fault.sent) == (Verdict.PAUSE, False)


@pytest.mark.parametrize(
    ("environment", "proxy"),
    [
        ({"HTTPS_PROXY": "http://proxy:3128"}, "http://proxy:3128"),
        ({"https_proxy": "proxy:3128"}, "http://proxy:3128"),
        ({"HTTP_PROXY": "http://proxy:3128"}, None),
        ({"HTTPS_PROXY": "http://proxy:3128", "NO_PROXY": ".amazonaws.com"}, None),
    ],
    ids=str,
)
async def test_the_proxy_is_the_one_that_the_environment_names_for_it(
    environment: dict[str, str], proxy: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("NO_PROXY", raising=False)
    monkeypatch.delenv("no_proxy", raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    found = await Endpoints(botocore.session.Session()).of("us-west-2")
    assert found.proxy == proxy


def test_the_host_header_has_a_port_only_where_it_is_not_the_usual_one() -> None:
    hosts = {
        url: endpoint(url, "r").host
        for url in ("https://A.b", "https://a.b:443", "https://a.b:80", "http://a.b:80", "http://[::1]:1")
    }
    assert list(hosts.values()) == ["a.b", "a.b", "a.b:80", "a.b", "[::1]:1"]
