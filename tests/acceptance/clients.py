"""Clients of a forwarder, as Segment's SDKs are: they send in order, and again until it is acknowledged."""

import asyncio
import io
import itertools
import json
import random
import time
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import aiohttp

from headgate.settings.schema import Source
from tests.acceptance.serving import CANARY, JsonObject


@dataclass(frozen=True)
class Told:
    """What a request was answered with."""

    status: int
    code: str | None
    retry_after: int | None
    seconds: float
    """From the request to the answer."""


@dataclass
class Client:
    """Sends the events of some users, one request after the other, over a kept connection."""

    http: aiohttp.ClientSession
    url: str
    source: Source
    users: Sequence[str]
    acknowledged: list[str] = field(default_factory=list)
    """The message IDs of all that was answered 200: `<user>/<number of the request>/<number in it>`."""
    answers: Counter[int] = field(default_factory=Counter)
    """How many requests were answered with each status."""
    attempts: Counter[str] = field(default_factory=Counter)
    """How often each message ID was sent, acknowledged or not."""
    _numbers: "itertools.count[int]" = field(default_factory=itertools.count)

    def request(self, events_per_user: int = 1, size: int = 0) -> list[JsonObject]:
        """Return the events of the next request.

        Args:
            events_per_user: how many of each user.
            size: how long a text each event has in it.
        """
        number = next(self._numbers)
        properties = {"canary": CANARY, "text": "x" * size}
        return [
            {
                "type": "track",
                "event": "Order Completed",
                "userId": user,
                "messageId": f"{user}/{number}/{index}",
                "properties": properties,
            }
            for index in range(events_per_user)
            for user in self.users
        ]

    async def post(self, events: Sequence[JsonObject]) -> Told:
        """Send one request, once: a single event as a call of its own, several as a batch."""
        body = {"batch": list(events)} if len(events) > 1 else events[0]
        path = "/v1/batch" if len(events) > 1 else "/v1/track"
        headers = {
            "Authorization": aiohttp.encode_basic_auth(self.source.write_keys[0], ""),
            "Content-Type": "application/json",
        }
        content = io.BytesIO(json.dumps(body).encode())
        self.attempts.update(event["messageId"] for event in events)
        began = time.monotonic()
        async with self.http.post(self.url + path, data=content, headers=headers) as response:
            answered = await response.json()
        told = Told(
            status=response.status,
            code=answered.get("code"),
            retry_after=int(response.headers["Retry-After"]) if "Retry-After" in response.headers else None,
            seconds=time.monotonic() - began,
        )
        assert answered["success"] is (told.status == 200), answered
        self.answers[told.status] += 1
        if told.status == 200:
            assert "rejected" not in answered, answered
            self.acknowledged += [event["messageId"] for event in events]
        return told

    async def deliver(
        self, events: Sequence[JsonObject], *, within: float = 60, through_kills: bool = False
    ) -> Told:
        """Send a request until it is acknowledged, as often as it takes; return the last answer.

        Args:
            events: of the request.
            within: seconds in which it is to be acknowledged.
            through_kills: whether a connection may end without an answer, or not be had.
        """
        deadline = time.monotonic() + within
        while True:
            try:
                told = await self.post(events)
            except aiohttp.ClientError:
                if not through_kills or time.monotonic() > deadline:
                    raise
                await asyncio.sleep(random.uniform(0.05, 0.2))
                continue
            if told.status == 200:
                return told
            assert told.status in (429, 503), told
            assert told.retry_after is not None
            assert 1 <= told.retry_after <= 300
            assert time.monotonic() < deadline, (
                f"not acknowledged within {within:g} s; the last answer: {told}"
            )
            await asyncio.sleep(told.retry_after * random.uniform(1, 1.3))


@asynccontextmanager
async def connections() -> AsyncIterator[aiohttp.ClientSession]:
    """Give kept connections, as many as there are clients."""
    connector = aiohttp.TCPConnector(limit=0)
    async with aiohttp.ClientSession(connector=connector, timeout=aiohttp.ClientTimeout(total=60)) as http:
        yield http


def users_of(source: Source, count: int) -> list[str]:
    """Return the names of users that no other source has."""
    return [f"{source.id}-user-{number}" for number in range(count)]
