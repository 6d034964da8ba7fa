"""The page *Event tester*: what it sends, and what it shows of it. The forwarder is the real one."""

import asyncio
import hashlib
import html
import json
import re
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import pytest
import pytest_asyncio
from aiohttp import web

from headgate.console.read_back import MOST_EVENTS
from headgate.console.samples import BATCH, CALLS
from headgate.testing import FailRecords, FailRequests, FakeKinesis
from tests.console.forwarding import forwarding
from tests.console.streams import Ear, begin_anew, kinesis_of, listening, until
from tests.console.visitor import Answer, Visitor, visiting

KEY, HIDDEN_KEY = "wk_that_nobody_sees", "wk_of_which_only_the_hash_is_known"
SOURCES = f"""
[[sources]]
id = "app"
write_keys = ["sha256:{hashlib.sha256(HIDDEN_KEY.encode()).hexdigest()}"]
[[sources.destinations]]
stream_name = "events"

[[sources]]
id = "busy"
write_keys = ["wk_busy"]
max_events_per_second = 1
[[sources.destinations]]
stream_name = "events"

[[sources]]
id = "off"
write_keys = ["wk_off"]
enabled = false
[[sources.destinations]]
stream_name = "events"

[[sources]]
id = "web"
name = "Website"
write_keys = ["{KEY}"]
[[sources.destinations]]
stream_name = "events"
[[sources.destinations]]
stream_name = "orders"
event_types = ["track"]
partition_key = "properties.order_id"
[[sources.destinations]]
stream_name = "unused"
enabled = false
"""


pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest.fixture(scope="module")
def served() -> Iterator[FakeKinesis]:
    with kinesis_of(events=2, orders=1) as kinesis:
        yield kinesis


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def console(served: FakeKinesis, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Visitor]:
    directory = tmp_path_factory.mktemp("console")
    path = directory / "sources.toml"
    path.write_text(SOURCES)
    async with (
        forwarding(SOURCES) as url,
        visiting(directory, sources=str(path), forwarder=url) as visitor,
    ):
        yield visitor


@pytest_asyncio.fixture(loop_scope="module")
async def visitor(console: Visitor, served: FakeKinesis) -> AsyncIterator[Visitor]:
    begin_anew(console, served)
    desk = console.app.state.desk
    yield console
    console.app.state.desk = desk


@pytest.fixture
def kinesis(visitor: Visitor, served: FakeKinesis) -> FakeKinesis:
    return served


def forward_to(visitor: Visitor, url: str) -> None:
    """Have the console send to another forwarder."""
    desk = visitor.app.state.desk
    visitor.app.state.desk = replace(desk, options=replace(desk.options, forwarder=url))


def body_in(page: Answer) -> Any:
    found = re.search(r"(?s)<textarea.*?>(.*?)</textarea>", page.text)
    assert found is not None
    return json.loads(html.unescape(found[1]))


def text_of(part: str) -> str:
    """Return what a part of a page says."""
    return " ".join(html.unescape(re.sub(r"<[^>]*>", " ", part)).split())


async def sent(
    visitor: Visitor, body: object, call: str = "track", source: str = "web", **fields: str
) -> Ear:
    """Send, and return all that was told once all of it is known."""
    text = body if isinstance(body, str) else json.dumps(body)
    given = {"source": source, "call": call, "body": text} | fields
    answer = await visitor.post("/tester/send", given)
    assert answer.status == 200, answer.text
    found = re.search(r'sse-connect="([^"]+)"', answer.text)
    assert found is not None
    async with listening(visitor, found[1]) as ear:
        await until(lambda: ear.ended, 20)
    assert ear.events[-1][0] == "end"
    for key in (KEY, HIDDEN_KEY):
        assert key.encode() not in ear.raw
        assert key not in answer.text
    return ear


def last(ear: Ear, part: str) -> str:
    return text_of(ear.told(part)[-1])


async def sample_of(visitor: Visitor, call: str) -> Any:
    return body_in(await visitor.get(f"/tester/sample?call={call}"))


async def test_the_page_offers_the_sources_and_the_samples_and_says_that_it_is_real(visitor: Visitor) -> None:
    page = await visitor.get("/tester")
    assert "This sends real events" in page.text
    assert '<option value="web">Website</option>' in page.text
    assert '<option value="app">app</option>' in page.text
    assert [call for call in CALLS if f"<option>{call}</option>" in page.text] == list(CALLS)
    assert body_in(page)["type"] == CALLS[0]
    assert KEY not in page.text


async def test_each_sample_has_ids_of_its_own(visitor: Visitor) -> None:
    for call in CALLS:
        one, other = await sample_of(visitor, call), await sample_of(visitor, call)
        events = [*one.get("batch", [one]), *other.get("batch", [other])]
        assert len({event["messageId"] for event in events}) == len(events)
        assert len({event["userId"] for event in events}) == 2


async def test_a_write_key_is_asked_for_where_the_settings_have_only_its_hash(visitor: Visitor) -> None:
    known = await visitor.get("/tester/key?source=web")
    assert "The settings have its write key" in known.text
    assert "<input" not in known.text
    asked = await visitor.get("/tester/key?source=app")
    assert 'type="password"' in asked.text
    assert hashlib.sha256(HIDDEN_KEY.encode()).hexdigest()[:8] in asked.text
    assert "The source is disabled" in (await visitor.get("/tester/key?source=off")).text


@pytest.mark.parametrize(
    ("call", "body", "said"),
    [
        ("track", {"userId": "u", "event": "e"}, "It is taken: 29 bytes."),
        (
            "track",
            '{\n  "userId" 1}',
            "bad_request : the body is not valid JSON: JSON is malformed: expected",
        ),
        ("track", '{\n  "userId" 1}', "( line 2, column 12 )"),
        ("track", {"userId": "u"}, "event_not_defined : a track call needs event, its name"),
        ("page", {"userId": 1}, "id_not_string : userId is not a string"),
        ("page", {"userId": "u", "integrations": {"All": False}}, "Its integrations keep it out of Amazon"),
        (
            "batch",
            {"batch": [{"type": "x\u202e<b>"}]},
            r"Event 0: bad_request : type is 'x\u202e<b>'",
        ),
        ("batch", {"batch": [{}] * 99}, "79 more are rejected."),
        ("batch", {"batch": []}, "empty_batch : batch is missing or empty"),
    ],
)
async def test_a_body_is_checked_by_the_forwarders_own_rules(
    visitor: Visitor, call: str, body: object, said: str
) -> None:
    text = body if isinstance(body, str) else json.dumps(body)
    answer = await visitor.post("/tester/check", {"call": call, "body": text})
    assert answer.status == 200
    assert said in text_of(answer.text)


@pytest.mark.parametrize("call", [call for call in CALLS if call != BATCH])
async def test_each_call_is_sent_answered_and_read_back(visitor: Visitor, call: str) -> None:
    body = await sample_of(visitor, call)
    ear = await sent(visitor, body, call)
    request = last(ear, "request")
    assert f"POST {visitor.app.state.desk.options.forwarder}/v1/{call}" in request
    assert "Authorization Basic (the write key, hidden)" in request
    assert "200 OK after " in last(ear, "answer")
    assert '"success": true' in last(ear, "answer")
    events = last(ear, "destination-0")
    assert "1 of 1 read back" in events
    assert f"Partition key {body['userId']}" in events
    assert f"messageId {body['messageId']}" in events
    assert 'projectId "web" added' in events
    assert "timestamp " in events
    assert ear.told("destination-2") == [], "it is disabled"
    orders = last(ear, "destination-1")
    if call == "track":
        assert "Partition key order-1042" in orders
    else:
        assert f"not sent here: the destination's event_types do not name {call}" in orders
    records = "2 of 2 records" if call == "track" else "1 of 1 record"
    assert last(ear, "progress").endswith(f"Read back: {records}.")


async def test_a_batch_shows_each_event_the_rejected_one_too(visitor: Visitor) -> None:
    body = await sample_of(visitor, BATCH)
    body["batch"][1].pop("userId")
    body["batch"] += [
        {"type": "track", "userId": "u", "event": "e", "integrations": {"All": False}},
        {"type": "screen", "userId": "u"},
    ]
    ear = await sent(visitor, body, BATCH)
    events = last(ear, "destination-0")
    assert "2 of 2 read back" in events
    assert "Event 0, identify: in shardId-" in events
    assert "Event 1, page: rejected with no_user_anon_id: neither userId" in events
    assert "Event 2, track: in shardId-" in events
    assert "Event 3, track: kept out by its integrations." in events
    assert "Event 4, screen: not looked for: it was sent without a messageId to know it by." in events
    assert 'context { "library"' in events
    assert "1 of 1 read back" in last(ear, "destination-1")
    assert "The events that it names are rejected" in last(ear, "answer")


async def test_a_large_batch_is_counted_and_its_first_events_are_shown(visitor: Visitor) -> None:
    events = [{"type": "page", "userId": "u", "messageId": f"m{number}"} for number in range(1_500)]
    ear = await sent(visitor, {"batch": events}, BATCH)
    shown = last(ear, "destination-0")
    assert "1,500 of 1,500 read back" in shown
    assert f"{1_500 - MOST_EVENTS:,} more events are counted above" in shown
    assert f"Event {MOST_EVENTS - 1}, page: in shardId-" in shown
    assert f"Event {MOST_EVENTS}," not in shown


async def test_the_write_key_of_a_form_is_used_once_and_shown_never(
    visitor: Visitor, kinesis: FakeKinesis
) -> None:
    body = {"userId": "u", "event": "e", "messageId": "m", "properties": {"key": HIDDEN_KEY}}
    body["writeKey"] = HIDDEN_KEY
    ear = await sent(visitor, body, source="app", write_key=HIDDEN_KEY)
    assert "1 of 1 read back" in last(ear, "destination-0")
    assert "(the write key)" in last(ear, "request")
    assert "(the write key)" in last(ear, "destination-0")
    for given in ("", "wrong", KEY):
        fields = {"source": "app", "call": "track", "body": "{}", "write_key": given}
        answer = await visitor.post("/tester/send", fields)
        assert answer.status == 400
        assert "what was given is none of them; give the key of sha256:" in answer.text
        assert not given or given not in answer.text
    assert len(kinesis.ledger.records()) == 1


async def test_an_event_that_is_none_is_sent_and_its_answer_shown(visitor: Visitor) -> None:
    ear = await sent(visitor, {"userId": "u"})
    assert "400 Bad Request after " in last(ear, "answer")
    assert '"code": "event_not_defined"' in last(ear, "answer")
    assert "Event 0, track: rejected with event_not_defined: a track call" in last(ear, "destination-0")
    ear = await sent(visitor, "no JSON")
    assert '"code": "bad_request"' in last(ear, "answer")


async def test_a_disabled_source_sends_nowhere(visitor: Visitor) -> None:
    fields = {"source": "off", "call": "track", "body": json.dumps({"userId": "u", "event": "e"})}
    assert "is disabled: a valid event is answered 200" in (await visitor.post("/tester/send", fields)).text
    ear = await sent(visitor, {"userId": "u", "event": "e"}, source="off")
    assert "200 OK" in last(ear, "answer")


async def test_a_rate_that_is_exceeded_is_shown_with_what_it_means(visitor: Visitor) -> None:
    events = [{"type": "page", "userId": "u", "messageId": str(number)} for number in range(50)]
    for _ in range(2):
        ear = await sent(visitor, {"batch": events}, BATCH, source="busy")
    answer = last(ear, "answer")
    assert "429" in answer
    assert "Retry-After" in answer
    assert "The source is above its rate" in answer
    assert "not looked for, as the answer is 429" in last(ear, "destination-0")


async def test_a_stream_that_is_not_readable_says_so(
    visitor: Visitor, kinesis: FakeKinesis, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("headgate.console.read_back.SEEN_WITHIN", 0.5)
    kinesis.faults.add(FailRequests("AccessDeniedException", operations=("ListShards",), stream="orders"))
    ear = await sent(visitor, await sample_of(visitor, "track"))
    orders = last(ear, "destination-1")
    assert "Not readable with your credentials now: reading 'orders' in us-west-2: AccessDenied" in orders
    assert "Event 0, track: not seen within 0.5 s." in orders
    assert "1 of 1 read back" in last(ear, "destination-0")
    assert last(ear, "progress").endswith("Read back: 1 of 2 records.")


async def test_a_record_that_is_late_is_not_waited_for_without_end(
    visitor: Visitor, kinesis: FakeKinesis, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("headgate.console.read_back.SEEN_WITHIN", 0.3)
    kinesis.faults.add(FailRequests("ProvisionedThroughputExceededException", operations=("GetRecords",)))
    ear = await sent(visitor, {"userId": "u", "event": "e", "messageId": "m"})
    assert "Event 0, track: not seen within 0.3 s." in last(ear, "destination-0")


async def test_the_same_message_id_sent_again_shows_the_new_record(
    visitor: Visitor, kinesis: FakeKinesis
) -> None:
    body = {"userId": "u", "event": "e", "messageId": "m"}
    for times in (1, 2, 3):
        ear = await sent(visitor, body)
        records = kinesis.ledger.records("events")
        assert len(records) == times
        assert records[-1].sequence_number in last(ear, "destination-0")


async def test_hostile_events_are_shown_and_do_nothing(visitor: Visitor) -> None:
    hostile = '</textarea><script>alert(1)</script><img src=x onerror="alert(1)">\u202e\u0000\ud83d'
    body = {"userId": hostile, "event": hostile, "messageId": hostile[:90], hostile: hostile}
    ear = await sent(visitor, body)
    shown = "".join(data for _, data in ear.events)
    assert "<script" not in shown
    assert "<img" not in shown
    assert all(each.isprintable() or each == "\n" for each in shown)


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"source": "<b>"}, "there is no source"),
        ({"call": "../healthz"}, "call is '../healthz'; allowed: track, "),
        ({"call": ""}, "call is ''; allowed: "),
    ],
)
async def test_what_cannot_be_sent_is_one_line(
    visitor: Visitor, kinesis: FakeKinesis, fields: dict[str, str], said: str
) -> None:
    answer = await visitor.post("/tester/send", {"source": "web", "call": "track", "body": "{}"} | fields)
    assert answer.status == 400
    assert said in html.unescape(answer.text)
    assert not kinesis.ledger.records()


async def test_what_was_sent_is_its_sessions_alone(visitor: Visitor) -> None:
    fields = {"source": "web", "call": "page", "body": "{}"}
    answer = await visitor.post("/tester/send", fields)
    found = re.findall(r'sse-connect="([^"]+)"', answer.text)[0]
    await visitor.enter()
    assert (await visitor.get(found)).status == 404
    assert (await visitor.get("/tester/sends/other")).status == 404


# Without a forwarder, or with what is none.


async def test_a_forwarder_that_is_not_there_is_one_line(visitor: Visitor) -> None:
    forward_to(visitor, "http://127.0.0.1:9")
    ear = await sent(visitor, {"userId": "u", "event": "e", "messageId": "m"})
    assert "127.0.0.1:9" in last(ear, "answer")
    assert "start the forwarder, or name it: headgate console --forwarder URL" in last(ear, "answer")
    assert "not looked for, as there is none" in last(ear, "destination-0")
    forward_to(visitor, "http://user:hunter2@127.0.0.1:9")
    assert b"hunter2" not in (await sent(visitor, {"userId": "u", "event": "e", "messageId": "m"})).raw


Handler = Callable[[web.Request], Any]


@asynccontextmanager
async def answering(handle: Handler) -> AsyncIterator[str]:
    """Serve what is no forwarder."""
    runner = web.ServerRunner(web.Server(handle), shutdown_timeout=0)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    try:
        yield "http://{}:{}".format(*runner.addresses[0][:2])
    finally:
        await runner.cleanup()


async def test_a_forwarder_with_other_sources_does_not_know_the_key(visitor: Visitor) -> None:
    async with forwarding(SOURCES.replace(KEY, "another")) as url:
        forward_to(visitor, url)
        ear = await sent(visitor, {"userId": "u", "event": "e", "messageId": "m"})
        assert "401 Unauthorized" in last(ear, "answer")
        assert "The forwarder does not know this write key" in last(ear, "answer")
        assert "not looked for, as the answer is 401" in last(ear, "destination-0")


@pytest.mark.parametrize(
    ("status", "headers", "body", "said"),
    [
        (503, {"Retry-After": "5"}, b'{"code":"paused"}', "Retry-After 5"),
        (503, {}, b"", "A destination is paused, Kinesis did not answer in time"),
        (302, {"Location": "http://127.0.0.1:9/"}, b"", "This is no answer that a forwarder gives."),
        (500, {}, b"<script>\xff\x00" * 300_000, "This is no JSON. Shown are the first 50,000"),
        (200, {}, b'{"rejected": [1, {"index": "x"}]}', "Every event is durable"),
        (200, {}, b"[" * 100_000, "This is no JSON."),
    ],
)
async def test_whatever_answers_is_shown_as_it_is(
    visitor: Visitor,
    monkeypatch: pytest.MonkeyPatch,
    status: int,
    headers: Mapping[str, str],
    body: bytes,
    said: str,
) -> None:
    monkeypatch.setattr("headgate.console.read_back.SEEN_WITHIN", 0.1)

    async def handle(_: web.Request) -> web.Response:
        return web.Response(status=status, headers=headers, body=body)

    async with answering(handle) as url:
        forward_to(visitor, url)
        ear = await sent(visitor, {"userId": "u", "event": "e", "messageId": "m"})
        assert str(status) in last(ear, "answer")
        assert said in last(ear, "answer")
        assert "<script" not in ear.all("answer")


async def test_an_answer_that_never_comes_is_not_waited_for(
    visitor: Visitor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("headgate.console.posting.ANSWER_WITHIN", 0.2)

    over = asyncio.Event()

    async def handle(_: web.Request) -> web.Response:
        await over.wait()
        return web.Response()

    async with answering(handle) as url:
        forward_to(visitor, url)
        ear = await sent(visitor, {"userId": "u", "event": "e", "messageId": "m"})
        assert "no answer within 0.2 s; what was sent may arrive all the same" in last(ear, "answer")
        assert last(ear, "progress") == "There is no answer."
        over.set()


async def test_events_that_kinesis_refuses_for_good_are_rejected_by_the_forwarder(
    visitor: Visitor, kinesis: FakeKinesis
) -> None:
    kinesis.faults.add(FailRecords(code="InternalFailure", times=3))
    ear = await sent(visitor, {"userId": "u", "event": "e", "messageId": "m"})
    assert "1 of 1 read back" in last(ear, "destination-0"), "what failed was sent again"
    assert len(kinesis.ledger.records("events")) == 1
