"""Through a proxy: what it is asked, and what its failures say."""

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from headgate.delivery.wire.client import Route, Wire
from headgate.delivery.wire.faults import Fault, Verdict
from headgate.delivery.wire.messages import Answer
from tests.delivery.wire.kinesis import CREDENTIALS, One, SessionAt, certificate, serving, takes

RECORDS = [One(b"d", "k")]
ROUTE = Route("us-west-2", "events")


class Proxy:
    """Speaks CONNECT and nothing else."""

    def __init__(self, refuse: bytes = b"") -> None:
        self.refuse = refuse
        self.asked: list[str] = []
        self.url = ""

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        line = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")[0]
        self.asked.append(line)
        if self.refuse:
            writer.write(self.refuse)
            await writer.drain()
        else:
            host, _, port = line.split()[1].rpartition(":")
            there, on = await asyncio.open_connection(host, int(port))
            writer.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
            await asyncio.gather(self.pump(reader, on), self.pump(there, writer))
        writer.close()

    async def pump(self, source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
        try:
            while data := await source.read(65536):
                sink.write(data)
                await sink.drain()
        except ConnectionError:
            pass
        finally:
            sink.close()


@asynccontextmanager
async def proxying(monkeypatch: pytest.MonkeyPatch, refuse: bytes = b"") -> AsyncIterator[Proxy]:
    proxy = Proxy(refuse)
    listening = await asyncio.start_server(proxy.serve, "127.0.0.1", 0)
    proxy.url = f"http://127.0.0.1:{listening.sockets[0].getsockname()[1]}"
    monkeypatch.setenv("HTTPS_PROXY", proxy.url)
    monkeypatch.delenv("https_proxy", raising=False)
    monkeypatch.setenv("NO_PROXY", "")
    monkeypatch.setenv("no_proxy", "")
    try:
        yield proxy
    finally:
        listening.close()
        await asyncio.sleep(0)


async def test_requests_go_through_the_proxy_over_one_tunnel(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pem, theirs = certificate(tmp_path)
    ours = ssl.create_default_context(cafile=str(pem))
    async with proxying(monkeypatch) as proxy, serving(takes, tls=theirs) as server:
        wire = Wire(SessionAt(server.url), tls=ours)
        for _ in range(2):
            assert isinstance(await wire.put_records(ROUTE, CREDENTIALS, RECORDS), Answer)
        await wire.close()
        assert proxy.asked == [f"CONNECT {server.url[8:-1]} HTTP/1.1"]
        [first, again] = server.requests
    assert first.headers["host"] == server.url[8:-1]
    assert first.headers["content-type"] == "application/x-amz-cbor-1.1"
    assert first.connection == again.connection


async def test_a_proxy_that_refuses_took_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    refusal = b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n"
    async with proxying(monkeypatch, refusal) as proxy:
        wire = Wire(SessionAt("https://kinesis.example"), tls=ssl.create_default_context())
        fault = await wire.put_records(ROUTE, CREDENTIALS, RECORDS)
        await wire.close()
        assert proxy.asked == ["CONNECT kinesis.example:443 HTTP/1.1"]
    assert isinstance(fault, Fault)
    assert (fault.verdict, fault.code, fault.sent) == (Verdict.RETRY, "ProxyRefused", False)
    assert "403 Forbidden" in fault.message


async def test_a_proxy_that_is_not_there_took_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    async with proxying(monkeypatch) as proxy:
        gone = proxy.url
    monkeypatch.setenv("HTTPS_PROXY", gone)
    wire = Wire(SessionAt("https://kinesis.example"), tls=ssl.create_default_context())
    fault = await wire.put_records(ROUTE, CREDENTIALS, RECORDS)
    await wire.close()
    assert isinstance(fault, Fault)
    assert (fault.code, fault.sent) == ("ConnectFailed", False)
    assert "kinesis.example through the proxy" in fault.message


@pytest.mark.filterwarnings("ignore::ResourceWarning")
async def test_a_certificate_behind_the_proxy_is_verified(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, theirs = certificate(tmp_path)
    async with proxying(monkeypatch), serving(takes, tls=theirs) as server:
        wire = Wire(SessionAt(server.url), tls=ssl.create_default_context())
        fault = await wire.put_records(ROUTE, CREDENTIALS, RECORDS)
        await wire.close()
        assert server.requests == []
    assert isinstance(fault, Fault)
    assert (fault.code, fault.sent) == ("TlsVerificationFailed", False)


async def test_a_tunnel_lost_before_the_answer_leaves_the_outcome_unknown(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pem, theirs = certificate(tmp_path)
    ours = ssl.create_default_context(cafile=str(pem))
    async with proxying(monkeypatch), serving(lambda _: None, tls=theirs) as server:
        wire = Wire(SessionAt(server.url), tls=ours)
        fault = await wire.put_records(ROUTE, CREDENTIALS, RECORDS)
        await wire.close()
        assert len(server.requests) == 1
    assert isinstance(fault, Fault)
    assert (fault.verdict, fault.sent) == (Verdict.RETRY, True)
