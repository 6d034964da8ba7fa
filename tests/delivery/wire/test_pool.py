"""Kept connections: which are used again, and what every way of losing one says."""

import asyncio
import socket
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from headgate.delivery.wire import connection, pool
from headgate.delivery.wire.connection import NetworkError
from headgate.delivery.wire.endpoints import endpoint
from headgate.delivery.wire.pool import Pool, not_connected
from tests.delivery.wire.kinesis import Request, Server, always, certificate, http, serving

OK = always(http(b"{}"))
BODY = b"body" * 1000


@asynccontextmanager
async def pooling(
    tls: ssl.SSLContext | None = None, answer_within: float = 20
) -> AsyncIterator[Callable[[str], "asyncio.Task[tuple[int, bytes]]"]]:
    connections = Pool(tls or ssl.create_default_context(), answer_within)

    def post(url: str) -> "asyncio.Task[tuple[int, bytes]]":
        place = endpoint(url, "us-west-2")
        return asyncio.create_task(connections.post(place, {"Host": place.host, "X-A": "b"}, BODY))

    try:
        yield post
    finally:
        connections.close()
        await asyncio.sleep(0)


async def failure(posted: "asyncio.Task[tuple[int, bytes]]") -> NetworkError:
    with pytest.raises(NetworkError) as raised:
        await asyncio.wait_for(posted, 20)
    return raised.value


def connections_of(server: Server) -> list[int]:
    return [request.connection for request in server.requests]


async def test_a_request_arrives_whole_and_its_answer_comes_back() -> None:
    async with serving(always(http(b"said", 418))) as server, pooling() as post:
        assert await post(server.url + "a/b") == (418, b"said")
    [request] = server.requests
    assert (request.line, request.body) == ("POST /a/b HTTP/1.1", BODY)
    assert request.headers == {
        "host": server.url[7:-1],
        "x-a": "b",
        "content-length": str(len(BODY)),
    }


async def test_one_after_the_other_share_a_connection_and_those_at_once_do_not() -> None:
    async with serving(OK) as server, pooling() as post:
        for _ in range(3):
            await post(server.url)
        assert connections_of(server) == [0, 0, 0]
        await asyncio.gather(*(post(server.url) for _ in range(4)))
        assert sorted(connections_of(server)[3:]) == [0, 1, 2, 3]
        await post(server.url)
        assert len(server.open_connections) == 4


async def test_no_more_connections_than_allowed_and_nobody_is_forgotten(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(pool, "MAX_CONNECTIONS", 2)
    async with serving(OK) as server, pooling() as post:
        await asyncio.gather(*(post(server.url) for _ in range(20)))
        assert (len(server.requests), set(connections_of(server))) == (20, {0, 1})


@pytest.mark.parametrize(
    "answer",
    [
        http(b"{}", headers="Connection: close\r\n"),
        b"HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\n{}",
        http(b"{}") + b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n?",
        http(b"{}") + b"noise",
    ],
    ids=["told to close", "HTTP/1.0", "an answer too many", "noise after it"],
)
async def test_a_connection_that_cannot_be_trusted_further_is_not_used_again(answer: bytes) -> None:
    async with serving(always(answer), OK) as server, pooling() as post:
        assert [await post(server.url), await post(server.url)] == [(200, b"{}")] * 2
        assert connections_of(server) == [0, 1]


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\n{\r\n1\r\n}\r\n0\r\n\r\n",
        b"HTTP/1.1 100 Continue\r\n\r\n" + http(b"{}"),
        b"HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n" + http(b"{}"),
    ],
    ids=["chunked", "100", "103"],
)
async def test_every_way_to_write_an_answer_is_understood(answer: bytes) -> None:
    async with serving(always(answer)) as server, pooling() as post:
        assert [await post(server.url), await post(server.url)] == [(200, b"{}")] * 2
        assert connections_of(server) == [0, 0]


async def test_a_connection_that_was_quiet_for_too_long_is_not_used_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(pool, "IDLE_SECONDS", -1.0)
    async with serving(OK) as server, pooling() as post:
        await post(server.url)
        await post(server.url)
        assert connections_of(server) == [0, 1]


@pytest.mark.parametrize("goodbye", [b"", http(b"too slow", 408)], ids=["closed", "told, then closed"])
async def test_a_connection_that_the_server_closed_or_spoke_on_is_not_used_again(goodbye: bytes) -> None:
    connections = Pool(ssl.create_default_context(), 20)
    async with serving(OK) as server:
        place = endpoint(server.url, "us-west-2")
        await connections.post(place, {}, BODY)
        [kept] = connections._hosts[place.url].idle
        [writer] = server.open_connections
        writer.write(goodbye)
        writer.close()
        async with asyncio.timeout(20):
            while kept.reusable:
                await asyncio.sleep(0.001)
        assert await connections.post(place, {}, BODY) == (200, b"{}")
        assert connections_of(server) == [0, 1]
    connections.close()
    await asyncio.sleep(0)


async def test_a_kept_connection_lost_before_the_answer_leaves_the_outcome_unknown() -> None:
    async with serving(OK, always(None), OK) as server, pooling() as post:
        await post(server.url)
        fault = await failure(post(server.url))
        assert (fault.code, fault.sent) == ("ConnectionLost", True)
        assert len(server.requests) == 2  # it is not sent again behind the caller's back
        assert await post(server.url) == (200, b"{}")


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        (None, "ConnectionLost"),
        (b"", "AnswerTimeout"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n{", "AnswerTimeout"),
        (b"SSH-2.0-OpenSSH_9.2\r\n", "NotHttp"),
        (b"HTTP/1.1 101 Switching\r\nUpgrade: h2c\r\nConnection: upgrade\r\n\r\n", "NotHttp"),
        (http(b"x" * (connection.MAX_ANSWER_BYTES + 1)), "AnswerTooLarge"),
    ],
    ids=["closed", "silent", "half an answer", "not HTTP", "another protocol", "endless"],
)
async def test_without_an_answer_the_request_may_have_been_accepted(answer: bytes | None, code: str) -> None:
    within = 0.05 if code == "AnswerTimeout" else 20
    async with serving(always(answer), OK) as server, pooling(answer_within=within) as post:
        fault = await failure(post(server.url))
        assert (fault.code, fault.sent) == (code, True)
        assert await post(server.url) == (200, b"{}")
        assert connections_of(server) == [0, 1]


async def test_a_request_that_nobody_waits_for_any_more_takes_its_connection_with_it() -> None:
    arrived = asyncio.Event()

    def silent(_: Request) -> bytes:
        arrived.set()
        return b""

    async with serving(silent, OK) as server, pooling() as post:
        posted = post(server.url)
        await asyncio.wait_for(arrived.wait(), 20)
        posted.cancel()
        assert await post(server.url) == (200, b"{}")
        assert connections_of(server) == [0, 1]


async def test_an_answer_before_the_request_is_written_ends_the_connection() -> None:
    async def early(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(http(b"too much", 413))
        await writer.drain()
        await closed.wait()
        writer.close()

    closed = asyncio.Event()
    listening = await asyncio.start_server(early, "127.0.0.1", 0, limit=1024)
    place = endpoint(f"http://127.0.0.1:{listening.sockets[0].getsockname()[1]}", "us-west-2")
    connections = Pool(ssl.create_default_context(), 20)
    assert await connections.post(place, {}, b"x" * 30_000_000) == (413, b"too much")
    assert not connections._hosts[place.url].idle
    closed.set()
    connections.close()
    listening.close()
    await asyncio.sleep(0)


async def test_a_port_where_nobody_listens_took_nothing() -> None:
    with socket.create_server(("127.0.0.1", 0)) as unused:
        port = unused.getsockname()[1]
    async with pooling() as post:
        fault = await failure(post(f"http://127.0.0.1:{port}"))
    assert (fault.code, fault.sent) == ("ConnectFailed", False)
    assert f"no connection to 127.0.0.1:{port}: " in fault.message


def test_a_name_that_does_not_resolve_is_named() -> None:
    unknown = socket.gaierror(socket.EAI_NONAME, "Name or service not known")
    fault = not_connected(unknown, "kinesis.mars-north-1.amazonaws.com:443")
    assert (fault.code, fault.sent) == ("UnknownHost", False)
    assert fault.message == (
        "no connection to kinesis.mars-north-1.amazonaws.com:443: "
        "the name does not resolve: Name or service not known"
    )


async def test_a_connection_that_takes_too_long_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pool, "CONNECT_SECONDS", 0.05)

    async def silent(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await closed.wait()
        writer.close()

    closed = asyncio.Event()
    listening = await asyncio.start_server(silent, "127.0.0.1", 0)
    async with pooling() as post:  # TLS never begins
        fault = await failure(post(f"https://127.0.0.1:{listening.sockets[0].getsockname()[1]}"))
    assert (fault.code, fault.sent) == ("ConnectTimeout", False)
    closed.set()
    listening.close()
    await asyncio.sleep(0)


async def test_tls_is_verified_and_used_again(tmp_path: Path) -> None:
    pem, theirs = certificate(tmp_path)
    ours = ssl.create_default_context(cafile=str(pem))
    async with serving(OK, tls=theirs) as server, pooling(ours) as post:
        assert [await post(server.url), await post(server.url)] == [(200, b"{}")] * 2
        assert connections_of(server) == [0, 0]


@pytest.mark.parametrize("known", [True, False], ids=["another name", "nobody vouches for it"])
@pytest.mark.filterwarnings("ignore::ResourceWarning")
async def test_a_certificate_that_is_not_trusted_gets_no_request(tmp_path: Path, *, known: bool) -> None:
    pem, theirs = certificate(tmp_path, ["else.example" if known else "localhost"])
    ours = ssl.create_default_context(cafile=str(pem) if known else None)
    async with serving(OK, tls=theirs) as server, pooling(ours) as post:
        fault = await failure(post(server.url))
        assert (fault.code, fault.sent) == ("TlsVerificationFailed", False)
        assert "AWS_CA_BUNDLE" in fault.message
        assert server.requests == []


async def test_a_server_without_tls_where_tls_is_expected_took_nothing() -> None:
    async def plain(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1)
        writer.write(http(b"plain HTTP only", 400))
        writer.close()

    listening = await asyncio.start_server(plain, "127.0.0.1", 0)
    async with pooling() as post:
        fault = await failure(post(f"https://127.0.0.1:{listening.sockets[0].getsockname()[1]}"))
    listening.close()
    assert (fault.code, fault.sent) == ("TlsFailed", False)
