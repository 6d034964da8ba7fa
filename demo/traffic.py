"""Two sources' live traffic: people who browse and buy, from Segment's Python SDK; and what goes wrong.

Who does what is pure, and drawn from a random generator that is passed in.
"""

import json
import math
import random
import threading
import time
import urllib.error
import urllib.request
from base64 import b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from segment.analytics.client import Client

EVENTS_PER_SECOND = 20.0
_WAVE, _WAVE_SECONDS = 0.4, 45.0
_REJECTED_EVERY, _TOO_LARGE_EVERY = 7.0, 60.0
_BEYOND_A_RECORD = 1024 * 1024 - 50
"""Within the largest event that a forwarder can be told to take; with what it adds, no record any more."""

JsonObject = dict[str, Any]


class Person(NamedTuple):
    """Somebody who uses the website or the app."""

    user_id: str
    name: str
    plan: str
    company: str


class Call(NamedTuple):
    """One call of an SDK."""

    type: str
    who: str
    arguments: JsonObject


PEOPLE = (
    Person("user-101", "Ada Byron", "business", "acme"),
    Person("user-102", "Alan Kay", "team", "acme"),
    Person("user-103", "Barbara Liskov", "team", "globex"),
    Person("user-104", "Grace Hopper", "business", "initech"),
    Person("user-105", "Ken Thompson", "free", "acme"),
    Person("user-106", "Lynn Conway", "team", "globex"),
    Person("user-107", "Margaret Hamilton", "business", "initech"),
    Person("user-108", "Radia Perlman", "free", "globex"),
)
_PRODUCTS = (("Blue Notebook", 12.5), ("Fountain Pen", 39.95), ("Desk Lamp", 64.0), ("Paper, A4", 4.2))
_PAGES = (("Home", "/"), ("Pricing", "/pricing"), ("Docs", "/docs"), ("Blog", "/blog"))
_SCREENS = ("Home", "Search", "Product", "Cart", "Profile")


def rate(seconds: float) -> float:
    """Return the events a second at a time since the beginning: steady, in gentle waves."""
    return EVENTS_PER_SECOND * (1 + _WAVE * math.sin(2 * math.pi * seconds / _WAVE_SECONDS))


def website(draw: random.Random) -> Iterator[Call]:
    """Give the calls of a website, visit after visit, without end."""
    while True:
        person = draw.choice(PEOPLE)
        who = person.user_id
        if draw.random() < 0.3:
            yield Call("alias", who, {"previous_id": f"anonymous-{draw.randrange(10**6):06}"})
        if draw.random() < 0.5:
            email = f"{person.name.split()[0].lower()}@{person.company}.example"
            traits = {"name": person.name, "email": email, "plan": person.plan}
            yield Call("identify", who, {"traits": traits})
        if draw.random() < 0.3:
            yield Call("group", who, {"group_id": person.company, "traits": {"name": person.company.title()}})
        for name, path in draw.sample(_PAGES, draw.randint(1, 3)):
            yield Call("page", who, {"name": name, "properties": {"path": path, "title": f"{name} · Shop"}})
        yield from _shopping(draw, who)


def shop_app(draw: random.Random) -> Iterator[Call]:
    """Give the calls of an app, visit after visit, without end."""
    while True:
        who = draw.choice(PEOPLE).user_id
        for name in draw.sample(_SCREENS, draw.randint(1, 3)):
            yield Call("screen", who, {"name": name, "properties": {"orientation": "portrait"}})
        yield from _shopping(draw, who)


def _shopping(draw: random.Random, who: str) -> Iterator[Call]:
    product, price = draw.choice(_PRODUCTS)
    bought: JsonObject = {"product": product, "price": price, "currency": "EUR"}
    for event, goes_on in (("Product Viewed", 0.6), ("Product Added", 0.7), ("Checkout Started", 0.8)):
        yield Call("track", who, {"event": event, "properties": bought})
        if draw.random() > goes_on:
            return
    order = {"order_id": f"order-{draw.randrange(10**5):05}", "revenue": price, "currency": "EUR"}
    yield Call("track", who, {"event": "Order Completed", "properties": order})


@dataclass
class Traffic:
    """What became of what was sent so far."""

    acknowledged: list[str] = field(default_factory=list)
    """The message IDs of a source's events that were answered 200, in their order."""
    refused: list[str] = field(default_factory=list)
    """Why others were not: one line each."""


@contextmanager
def flowing(url: str, website_key: str, app_key: str) -> Iterator[Traffic]:
    """Send to a forwarder for as long as the block lasts; give what became of the website's events.

    Args:
        url: the forwarder.
        website_key: the write key of the website.
        app_key: that of the app.
    """
    traffic, over = Traffic(), threading.Event()
    threads = [
        threading.Thread(target=_send, args=(url, website_key, website(random.Random()), 0.7, over, traffic)),
        threading.Thread(target=_send, args=(url, app_key, shop_app(random.Random()), 0.3, over, Traffic())),
        threading.Thread(target=_go_wrong, args=(url, website_key, over)),
    ]
    for each in threads:
        each.start()
    try:
        yield traffic
    finally:
        over.set()
        for each in threads:
            each.join()


def _send(
    url: str, write_key: str, calls: Iterator[Call], share: float, over: threading.Event, told: Traffic
) -> None:
    """Send a share of all traffic, one call after the other, until it is over."""
    client = Client(write_key, host=url, sync_mode=True, timeout=15)
    began = due = time.monotonic()
    for type_, who, arguments in calls:
        due = max(due + 1 / (share * rate(due - began)), time.monotonic() - 1)
        if over.wait(max(due - time.monotonic(), 0)):
            return
        try:
            _, event = _call(client, type_, who, arguments)
        except Exception as fault:  # the SDK raises what its HTTP library does, and its own
            told.refused.append(" ".join(str(fault).split()))
        else:
            told.acknowledged.append(event["messageId"])


def _call(client: Client, type_: str, who: str, arguments: JsonObject) -> tuple[bool, JsonObject]:
    """Have the SDK make a call; what it returns."""
    if type_ == "alias":
        return client.alias(arguments["previous_id"], who)  # type: ignore[no-any-return]
    return getattr(client, type_)(who, **arguments)  # type: ignore[no-any-return]


def _go_wrong(url: str, write_key: str, over: threading.Event) -> None:
    """Send, besides, what no SDK lets through: events that are rejected, and one that no stream takes."""
    rejected = too_large = time.monotonic()
    while not over.wait(0.5):
        now = time.monotonic()
        if now > rejected:
            rejected += _REJECTED_EVERY
            post(url, "/v1/batch", write_key, {"batch": [{"type": "track", "event": "Nobody's"}]})
        if now > too_large:
            too_large += _TOO_LARGE_EVERY
            post(url, "/v1/track", write_key, page_saved(_BEYOND_A_RECORD))


def page_saved(size: int) -> JsonObject:
    """Return an event of so many bytes: somebody has put a whole page into it."""
    event: JsonObject = {
        "type": "track",
        "userId": PEOPLE[0].user_id,
        "event": "Page Saved",
        "properties": {"html": ""},
    }
    event["properties"]["html"] = "<p>" + "x" * (size - len(json.dumps(event)) - 3)
    return event


def post(url: str, path: str, write_key: str, body: JsonObject) -> int:
    """Send one request, and return the status of its answer."""
    request = urllib.request.Request(
        url + path,
        data=json.dumps(body).encode(),
        headers={
            "Content-Type": "application/json",
            "Authorization": "Basic " + b64encode(f"{write_key}:".encode()).decode(),
        },
    )
    try:
        with urllib.request.urlopen(request, timeout=15) as response:
            return int(response.status)
    except urllib.error.HTTPError as error:
        with error:
            return error.code
    except OSError:  # the forwarder has stopped first
        return 0
