"""One request to the forwarder, and what it answers."""

import json
import time
from base64 import b64encode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

import aiohttp

import headgate
from headgate.console.inert import inert
from headgate.console.tester.drafts import Draft
from headgate.errors import one_line
from headgate.settings.schema import Destination

ANSWER_WITHIN = 20.0
"""Seconds; the forwarder answers within 8, if it is not told otherwise."""
HEADERS = {"Content-Type": "application/json", "User-Agent": f"headgate-console/{headgate.__version__}"}
"""Of the request, beside its Authorization."""
_MOST_ANSWER_BYTES = 1024 * 1024
_SHOWN_HEADERS = ("Content-Type", "Content-Length", "Retry-After", "Allow", "Server")
_MEANINGS = {
    400: "No event is valid, or the body is not what the path takes. SDKs drop it.",
    401: "The forwarder does not know this write key: look whether it reads the same sources as this page.",
    404: "There is no such path: look whether this is a forwarder.",
    413: "The request, an event or the number of events is above a limit. SDKs drop it.",
    429: "The source is above its rate, or a destination's memory is full. SDKs send it again.",
    503: "A destination is paused, Kinesis did not answer in time, or the settings cannot be read. SDKs send "
    "it again; some of it may arrive all the same.",
}
_OTHER = "This is no answer that a forwarder gives."


@dataclass(frozen=True)
class Order:
    """What is to be sent."""

    url: str
    """Of the path that takes it."""
    write_key: str = field(repr=False)
    draft: Draft
    destinations: Sequence[Destination]
    """The enabled ones of the source."""

    def hide(self, data: bytes) -> bytes:
        """Return JSON without the write key."""
        return data.replace(json.dumps(self.write_key).encode(), b'"(the write key)"')


@dataclass(frozen=True)
class Answer:
    """What the forwarder answered."""

    status: int
    reason: str
    headers: Mapping[str, str]
    body: bytes
    milliseconds: float

    @property
    def meaning(self) -> str:
        """What that means."""
        if self.status != 200:
            return _MEANINGS.get(self.status, _OTHER)
        if self.rejected:
            return "The events that it names are rejected; every other is durable, or is sent nowhere."
        return "Every event is durable, or is sent nowhere."

    @cached_property
    def rejected(self) -> Mapping[int, str]:
        """Why events were rejected, by their index."""
        try:
            said = json.loads(self.body).get("rejected", [])
            return {each["index"]: f"{each['code']}: {each['message']}" for each in said}
        except (ValueError, AttributeError, TypeError, KeyError, RecursionError):
            return {}


@dataclass(frozen=True)
class Unanswered:
    """There was no answer."""

    why: str
    status: None = None
    rejected: Mapping[int, str] = field(default_factory=dict)


async def post(order: Order, http: aiohttp.ClientSession) -> Answer | Unanswered:
    """Return the answer, or why there is none."""
    began = time.perf_counter()
    try:
        async with http.post(
            order.url,
            data=order.draft.text.encode(),
            headers=HEADERS | {"Authorization": _basic(order.write_key)},
            allow_redirects=False,
            timeout=aiohttp.ClientTimeout(total=ANSWER_WITHIN),
        ) as response:
            body = b""
            while len(body) < _MOST_ANSWER_BYTES and (more := await response.content.readany()):
                body += more
            milliseconds = 1000 * (time.perf_counter() - began)
            headers = {
                name: inert(response.headers[name], 200)
                for name in _SHOWN_HEADERS
                if name in response.headers
            }
            return Answer(response.status, inert(response.reason or "", 100), headers, body, milliseconds)
    except TimeoutError:
        return Unanswered(f"no answer within {ANSWER_WITHIN:g} s; what was sent may arrive all the same")
    except (aiohttp.ClientError, ValueError) as fault:
        told = inert(one_line(fault), 500) or type(fault).__name__
        return Unanswered(f"{told}; start the forwarder, or name it: headgate console --forwarder URL")


def _basic(write_key: str) -> str:
    return "Basic " + b64encode(f"{write_key}:".encode()).decode()
