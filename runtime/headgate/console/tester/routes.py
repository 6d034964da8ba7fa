"""The page *Event tester*: a call sent through the forwarder, and read back from the streams it goes to."""

import secrets
from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import NamedTuple

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from headgate.console.desk import Desk, desk_of
from headgate.console.inert import inert
from headgate.console.pages import fields_of, page
from headgate.console.sse import EventStream, told
from headgate.console.tester.drafts import draft
from headgate.console.tester.posting import Order
from headgate.console.tester.read_back import MOST_EVENTS, SEEN_WITHIN
from headgate.console.tester.samples import CALLS, sample
from headgate.console.tester.sending import carry_out
from headgate.console.tester.sends import Send, Sends
from headgate.errors import UsageError
from headgate.settings.schema import Source
from headgate.settings.write_keys import hash_of, is_hashed, shown


async def show(request: Request) -> Response:
    """Return the page."""
    listed = await desk_of(request).listed()
    sources = [each.source for each in listed]
    return page(
        request,
        "tester.html",
        sources=sources,
        calls=CALLS,
        body=_sample(CALLS[0]),
        forwarder=desk_of(request).options.forwarder,
        key=_key_of(sources[0]) if sources else None,
    )


async def key(request: Request) -> Response:
    """Return where to give a write key, for a source whose own are not known."""
    source = await _source(desk_of(request), request.query_params.get("source", ""))
    return page(request, "tester/key.html", key=_key_of(source))


async def another(request: Request) -> Response:
    """Return a sample of a call."""
    return page(request, "tester/body.html", body=_sample(_call(request.query_params)))


async def check(request: Request) -> Response:
    """Return what the forwarder would say of a body."""
    fields = await fields_of(request)
    text, call = _body(fields), _call(fields)
    drafted = draft(text, call, "", datetime.now(UTC))
    rejected = list((drafted.rejected or {}).items())
    return page(
        request,
        "tester/check.html",
        draft=drafted,
        size=len(text.encode()),
        message=inert(drafted.fault.message, 500) if drafted.fault is not None else "",
        rejected=[(index, why.code, inert(why.message, 500)) for index, why in rejected[:MOST_EVENTS]],
        more=max(len(rejected) - MOST_EVENTS, 0),
    )


async def send(request: Request) -> Response:
    """Send a body, and return where to see what becomes of it."""
    desk, fields = desk_of(request), await fields_of(request)
    call, text = _call(fields), _body(fields)
    source = await _source(desk, fields.get("source", ""))
    order = Order(
        url=f"{desk.options.forwarder}/v1/{call}",
        write_key=_write_key(source, fields.get("write_key", "")),
        draft=draft(text, call, source.id, datetime.now(UTC)),
        destinations=[each for each in source.destinations if source.enabled and each.enabled],
    )
    begun = Send(request.state.session)
    _sends(request).begin(begun, carry_out(begun, order, desk))
    return page(
        request, "tester/sent.html", id=begun.id, destinations=order.destinations, seconds=SEEN_WITHIN
    )


async def follow(request: Request) -> Response:
    """Return what becomes of what was sent, as it is known."""
    found = _sends(request).get(request.state.session, request.path_params["id"])
    if found is None:
        return page(request, "fault.html", status=404, fault="what was sent there is known no more")
    return EventStream(_tell(found))


async def _tell(sent: Send) -> AsyncIterator[bytes]:
    async for part, html in sent.changes():
        yield told(part, html)
    yield told("end", "")


async def _source(desk: Desk, source_id: str) -> Source:
    """Return a source.

    Raises:
        UsageError: there is none with this ID.
        SettingsError, AwsError: see `Desk.listed`.
    """
    for each in await desk.listed():
        if each.source.id == source_id:
            return each.source
    raise UsageError(f"there is no source {inert(source_id, 100)!r}; load the page anew")


class _Key(NamedTuple):
    """What a page shows of a source and its write keys."""

    enabled: bool
    asks: bool
    """Whether the settings have no key as it is."""
    hashes: Sequence[str]


def _key_of(source: Source) -> _Key:
    asks = all(map(is_hashed, source.write_keys))
    return _Key(source.enabled, asks, list(map(shown, source.write_keys)))


def _write_key(source: Source, given: str) -> str:
    """Return the write key that a source's events are sent with.

    Raises:
        UsageError: the settings have hashes alone, and what was given is the key of none of them.
    """
    plain = next((each for each in source.write_keys if not is_hashed(each)), None)
    if plain is not None:
        return plain
    if hash_of(given) not in source.write_keys:
        raise UsageError(
            "the settings have only hashes of the source's write keys, and what was given is none of them; "
            f"give the key of {' or '.join(map(shown, source.write_keys))}"
        )
    return given


def _call(given: Mapping[str, str]) -> str:
    call = given.get("call", "")
    if call not in CALLS:
        raise UsageError(f"call is {inert(call, 32)!r}; allowed: {', '.join(CALLS)}")
    return call


def _body(fields: Mapping[str, str]) -> str:
    return fields.get("body", "").replace("\r\n", "\n")


def _sample(call: str) -> str:
    return sample(call, datetime.now(UTC), lambda: secrets.token_hex(6))


def _sends(request: Request) -> Sends:
    sends: Sends = request.app.state.sends
    return sends


routes: Sequence[Route] = (
    Route("/tester", show),
    Route("/tester/key", key),
    Route("/tester/sample", another),
    Route("/tester/check", check, methods=["POST"]),
    Route("/tester/send", send, methods=["POST"]),
    Route("/tester/sends/{id}", follow),
)
