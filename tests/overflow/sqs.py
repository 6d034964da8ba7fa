"""Real SQS protocols, of moto and of ministack, behind a proxy that makes trouble when told to."""

import asyncio
import io
import json
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

import aiohttp
import boto3
from aiohttp import web
from botocore.config import Config
from botocore.session import Session

REGION = "us-west-2"
KEYS = {"aws_access_key_id": "111122223333", "aws_secret_access_key": "unchecked"}


@dataclass
class Call:
    """One call of the SQS API, as it came."""

    operation: str
    body: dict[str, Any]
    answer: dict[str, Any] = field(default_factory=dict)
    """What the service said, passed on or not; nothing where it refused or was not asked."""

    @property
    def entries(self) -> list[dict[str, Any]]:
        return list(self.body.get("Entries", []))


@dataclass(frozen=True)
class Refuse:
    """The whole call is refused."""

    code: str = "RequestThrottled"
    status: int = 403


@dataclass(frozen=True)
class FailEntries:
    """The first entries of a batch fail; the others are passed on."""

    most: int = 1
    code: str = "InternalError"
    sender_fault: bool = False


@dataclass(frozen=True)
class Slow:
    """The call is passed on after so many seconds."""

    seconds: float


@dataclass(frozen=True)
class Cut:
    """No answer: the connection ends, after the call was passed on or in place of it."""

    accepted: bool


@dataclass(frozen=True)
class Garbage:
    """An answer that is none of SQS', of some proxy on the way."""

    text: str = "<html>hello</html>"


Trouble = Refuse | FailEntries | Slow | Cut | Garbage


@dataclass
class Proxy:
    """An endpoint in front of an emulator."""

    backend: str
    calls: list[Call] = field(default_factory=list)
    url: str = ""
    longest_hidden: int | None = None
    """The most seconds for which messages are hidden, whatever is asked: tests cannot wait for minutes."""
    closing: asyncio.Event = field(default_factory=asyncio.Event)
    _trouble: dict[str, deque[Trouble]] = field(default_factory=dict)
    _always: dict[str, Trouble] = field(default_factory=dict)

    def trouble(self, operation: str, *what: Trouble) -> None:
        """Have the next calls of an operation meet trouble, one each."""
        self._trouble.setdefault(operation, deque()).extend(what)

    def always(self, operation: str, what: Trouble | None) -> None:
        """Have every call of an operation meet the same trouble; None ends it."""
        self._always.pop(operation, None)
        if what is not None:
            self._always[operation] = what

    def calls_of(self, operation: str) -> list[Call]:
        return [call for call in self.calls if call.operation == operation]

    async def handle(self, http: web.BaseRequest) -> web.StreamResponse:
        content = await http.content.read()
        operation = http.headers["X-Amz-Target"].partition(".")[2]
        call = Call(operation, json.loads(content))
        self.calls.append(call)
        # An emulator does not notice that nobody waits any more, and would hand out messages to nobody.
        content = self._shortened(content, call.body)
        waiting = self._trouble.get(operation)
        what = waiting.popleft() if waiting else self._always.get(operation)
        if isinstance(what, Slow):
            await self._wait(what.seconds)
        elif isinstance(what, Refuse):
            said = {"__type": f"com.amazonaws.sqs#{what.code}", "message": "as the test wants"}
            return web.json_response(said, status=what.status)
        elif isinstance(what, Garbage):
            return web.Response(text=what.text, content_type="text/html")
        elif isinstance(what, FailEntries):
            return await self._fail_entries(http, call, what)
        elif isinstance(what, Cut):
            if what.accepted:
                await self._pass_on(http, content, call)
            assert http.transport is not None
            http.transport.abort()
            return web.Response()
        status, answer = await self._pass_on(http, content, call)
        return web.Response(body=answer, status=status, content_type="application/x-amz-json-1.0")

    async def _wait(self, seconds: float) -> None:
        with suppress(TimeoutError):
            await asyncio.wait_for(self.closing.wait(), seconds)

    async def _fail_entries(self, http: web.BaseRequest, call: Call, what: FailEntries) -> web.Response:
        failed, others = call.entries[: what.most], call.entries[what.most :]
        answer: dict[str, Any] = {"Successful": []}
        if others:
            _, text = await self._pass_on(http, json.dumps(call.body | {"Entries": others}).encode(), call)
            answer = json.loads(text)
        answer["Failed"] = [
            {"Id": each["Id"], "Code": what.code, "SenderFault": what.sender_fault, "Message": "no"}
            for each in failed
        ]
        return web.json_response(answer)

    def _shortened(self, content: bytes, body: dict[str, Any]) -> bytes:
        longest = {"WaitTimeSeconds": 1, "VisibilityTimeout": self.longest_hidden}

        def shorter(members: dict[str, Any]) -> dict[str, Any]:
            return members | {
                name: min(members[name], most)
                for name, most in longest.items()
                if most is not None and name in members
            }

        shortened = shorter(body)
        if entries := body.get("Entries"):
            shortened["Entries"] = [shorter(each) for each in entries]
        return content if shortened == body else json.dumps(shortened).encode()

    async def _pass_on(self, http: web.BaseRequest, content: bytes, call: Call) -> tuple[int, bytes]:
        headers = {
            name: value for name, value in http.headers.items() if name not in ("Host", "Content-Length")
        }
        async with (
            aiohttp.ClientSession() as session,
            session.post(self.backend, data=io.BytesIO(content), headers=headers) as answer,
        ):
            said = await answer.read()
            if answer.status == 200:
                call.answer = json.loads(said or b"{}")
            return answer.status, said


@contextmanager
def proxied(backend: str) -> Iterator[Proxy]:
    """Serve a proxy in front of an emulator from a thread for as long as the block lasts."""
    proxy = Proxy(backend)
    loop = asyncio.new_event_loop()

    async def start() -> web.ServerRunner:
        runner = web.ServerRunner(web.Server(proxy.handle), shutdown_timeout=0)  # type: ignore[arg-type]
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        proxy.url = "http://{}:{}".format(*runner.addresses[0])
        return runner

    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    runner = asyncio.run_coroutine_threadsafe(start(), loop).result(20)
    try:
        yield proxy
    finally:
        loop.call_soon_threadsafe(proxy.closing.set)
        asyncio.run_coroutine_threadsafe(runner.cleanup(), loop).result(20)
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


@dataclass
class Sqs:
    """A service to test against: queues of one's own, and a view past the proxy."""

    proxy: Proxy
    client: Any
    """A client of the emulator itself, which meets no trouble."""
    session: Session

    def create_queue(self, name: str, **attributes: str) -> str:
        url: str = self.client.create_queue(QueueName=name, Attributes=attributes)["QueueUrl"]
        return url

    def bodies(self, url: str) -> list[str]:
        """Take all messages out of a queue that nobody hides, and return their bodies."""
        found = []
        while messages := self.client.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages"):
            for message in messages:
                found.append(message["Body"])
                self.client.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
        return found

    def counts(self, url: str) -> tuple[int, int]:
        """Return how many messages are there to be received, and how many are hidden."""
        counted = self._counted(url)
        # moto counts one after the other: a message whose hiding ends in between is in neither. Not twice.
        return counted if any(counted) else self._counted(url)

    def _counted(self, url: str) -> tuple[int, int]:
        names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
        said = self.client.get_queue_attributes(QueueUrl=url, AttributeNames=names)["Attributes"]
        return int(said[names[0]]), int(said[names[1]])


def client_of(endpoint: str) -> Any:
    return boto3.client("sqs", region_name=REGION, endpoint_url=endpoint, config=Config(proxies={}), **KEYS)  # type: ignore[call-overload]


async def until(state: Callable[[], object], seconds: float = 20) -> None:
    """Return once the state is true.

    Raises:
        AssertionError: it is not in time.
    """
    deadline = time.monotonic() + seconds
    while not state():
        assert time.monotonic() < deadline, "what the test waits for did not come about"
        await asyncio.sleep(0.01)
