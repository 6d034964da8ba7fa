"""The page *Live events*, and what it is told."""

import asyncio
import html
import json
import re
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest
import pytest_asyncio

from headgate.console import live
from headgate.console.feed import Feed, Stream
from headgate.console.views import MOST_ROWS, ROWS_A_TICK
from headgate.testing import FailRequests, FakeKinesis
from tests.console.streams import Ear, begin_anew, kinesis_of, listening, put, until
from tests.console.visitor import Visitor, visiting

SOURCES = """
[[sources]]
id = "web"
name = "Website"
write_keys = ["wk_of_web"]
[[sources.destinations]]
stream_name = "events"
[[sources.destinations]]
region = "eu-west-1"
stream_name = "orders"
event_types = ["track"]

[[sources]]
id = "app"
write_keys = ["wk_of_app"]
[[sources.destinations]]
stream_name = "events"
"""
HOSTILE = '</td></tr></table><script>alert(1)</script><img src=x onerror="alert(2)">\u202e\u0000\u2066'


pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest.fixture(scope="module")
def served() -> Iterator[FakeKinesis]:
    with kinesis_of(events=1) as kinesis, pytest.MonkeyPatch.context() as patch:
        patch.setattr(live, "TICK_SECONDS", 0.05)
        yield kinesis


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def console(served: FakeKinesis, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Visitor]:
    directory = tmp_path_factory.mktemp("console")
    path = directory / "sources.toml"
    path.write_text(SOURCES)
    async with visiting(directory, sources=str(path)) as visitor:
        yield visitor


@pytest_asyncio.fixture(loop_scope="module")
async def visitor(console: Visitor, served: FakeKinesis) -> Visitor:
    begin_anew(console, served)
    return console


@pytest.fixture
def kinesis(visitor: Visitor, served: FakeKinesis) -> FakeKinesis:
    return served


def event(**members: Any) -> tuple[str, dict[str, Any]]:
    whole = {"type": "track", "event": "Order", "userId": "u", "messageId": "m", "projectId": "web"} | members
    return str(whole["userId"]), whole


async def opened(visitor: Visitor, query: str = "region=us-west-2&stream=events") -> str:
    """Open the page; return where it listens."""
    answer = await visitor.get(f"/live?{query}")
    assert answer.status == 200, answer.text
    found = re.search(r'sse-connect="([^"]+)"', answer.text)
    assert found is not None
    return html.unescape(found[1])


def view_of(path: str) -> str:
    return path.partition("view=")[2]


def feed_of(visitor: Visitor) -> Feed:
    return visitor.app.state.desk.feeds.of(Stream("us-west-2", "events"))  # type: ignore[no-any-return]


def rows(ear: Ear) -> list[str]:
    """Return the rows that came, the oldest first."""
    return [
        row
        for data in ear.told("rows")
        for row in re.findall(r'(?s)<tr id="record-\d+">.*?</tr>', data)[::-1]
    ]


def cells(row: str) -> list[str]:
    texts = [
        html.unescape(re.sub("<[^>]*>", "", cell)).strip() for cell in re.findall(r"(?s)<td.*?</td>", row)
    ]
    return texts[1:]


async def test_the_page_offers_the_streams_sources_and_calls_of_the_settings(visitor: Visitor) -> None:
    answer = await visitor.get("/live")
    assert answer.status == 200
    assert '<option value="us-west-2/events" selected>events in us-west-2</option>' in answer.text
    assert '<option value="eu-west-1/orders">orders in eu-west-1</option>' in answer.text
    assert answer.text.count("events in us-west-2</option>") == 1, "two sources have it"
    assert '<option value="web">Website</option>' in answer.text
    assert '<option value="app">app</option>' in answer.text
    assert "<option>alias</option>" in answer.text
    assert "wk_of" not in answer.text


async def test_filters_are_in_the_address_as_a_bookmark_has_them(visitor: Visitor) -> None:
    form = "/live?at=eu-west-1/orders&type=&event=Order+%26+more&userId=&messageId=&source=web"
    async with visitor.http.get(visitor.url + form, allow_redirects=False) as answer:
        assert answer.status == 303
        address = answer.headers["Location"]
    assert address == "/live?region=eu-west-1&stream=orders&event=Order+%26+more&source=web"
    shown = (await visitor.get(address)).text
    assert '<option value="eu-west-1/orders" selected>' in shown
    assert 'value="Order &amp; more"' in shown
    assert '<option value="web" selected>' in shown
    assert "event=Order+%26+more" in html.unescape(re.findall(r'sse-connect="([^"]+)"', shown)[0])


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("region=us-west-2&stream=other", "no destination has the stream 'other' in us-west-2"),
        ("stream=%3Cscript%3E", "no destination has the stream '&lt;script&gt;' in any region"),
        ("type=delete", "type is 'delete'; allowed: track, "),
        (f"userId={'x' * 1001}", "userId has 1,001 characters; allowed: 1,000"),
    ],
)
async def test_what_cannot_be_is_one_line(visitor: Visitor, query: str, said: str) -> None:
    for path in (f"/live?{query}", f"/live/events?{query}"):
        answer = await visitor.get(path)
        assert answer.status == 400
        assert html.unescape(said) in html.unescape(answer.text)
        assert "<script>" not in answer.text


async def test_records_come_as_they_are_put_with_what_matters_of_each(
    visitor: Visitor, kinesis: FakeKinesis
) -> None:
    path = await opened(visitor)
    async with listening(visitor, path) as ear:
        put(kinesis, event())
        await until(lambda: len(rows(ear)) == 1)
        put(
            kinesis,
            event(type="page", event=None, name="Pricing", userId=None, anonymousId="anon"),
            ("key", b"\x00\xff"),
            ("key", b"[1]"),
        )
        await until(lambda: len(rows(ear)) == 4)
        shard = "shardId-000000000000"
        assert [cells(row) for row in rows(ear)] == [
            ["track", "Order", "u", "web", shard],
            ["page", "Pricing", "anon", "web", shard],
            ["", "no JSON, 2 bytes", "", "", shard],
            ["", "no event, 3 bytes", "", "", shard],
        ]
        await until(lambda: "4 came: 4 shown." in ear.all("status"))
        assert set(ear.told("fault")) == {""}


async def test_filters_apply_before_anything_is_sent(visitor: Visitor, kinesis: FakeKinesis) -> None:
    query = "type=track&event=Order&userId=u+1&messageId=m1&source=web"
    async with listening(visitor, await opened(visitor, query)) as ear:
        fits = {"userId": "u 1", "messageId": "m1"}
        others = (
            {"userId": "u 2"},
            {"messageId": "m2"},
            {"event": "o"},
            {"type": "page"},
            {"projectId": "x"},
        )
        put(kinesis, *(event(**fits | other) for other in others), event(**fits), ("key", b"no JSON"))
        await until(lambda: "7 came: 1 shown, 6 do not fit the filters." in ear.all("status"))
        assert [cells(row)[:3] for row in rows(ear)] == [["track", "Order", "u 1"]]
        assert ear.raw.count(b"<tr") == 1


async def test_a_flood_is_told_of_and_not_shown(visitor: Visitor, kinesis: FakeKinesis) -> None:
    async with listening(visitor, await opened(visitor)) as ear:
        await until(lambda: ear.told("status"))
        for _ in range(10):
            put(kinesis, *(event() for _ in range(500)))
        await until(lambda: "5,000 came: " in ear.all("status"))
        said = re.findall(r"5,000 came: (\d+) shown, ([\d,]+) not shown, as too many came", ear.all("status"))
        assert int(said[-1][0]) + int(said[-1][1].replace(",", "")) == 5_000
        assert all(data.count('<tr id="record') <= 2 * ROWS_A_TICK for data in ear.told("rows"))
        assert len(ear.raw) < 5_000 * 100
        assert re.search(r"[1-9][\d,]*\.\d records/s", ear.all("status"))


async def test_a_page_that_comes_later_is_given_what_is_kept(visitor: Visitor, kinesis: FakeKinesis) -> None:
    put(kinesis, *(event(userId=f"u{number}") for number in range(300)))
    async with listening(visitor, await opened(visitor)) as first:
        await until(lambda: first.told("rows"))
        async with listening(visitor, await opened(visitor, "userId=u7")) as ear:
            await until(lambda: rows(ear))
            assert [cells(row)[2] for row in rows(ear)] == ["u7"]
    assert kinesis.ledger.calls["ListShards"] == 1


async def test_paused_nothing_is_sent_and_then_what_came_with_how_much_is_missing(
    visitor: Visitor, kinesis: FakeKinesis
) -> None:
    path = await opened(visitor)
    async with listening(visitor, path) as ear:
        put(kinesis, event())
        await until(lambda: rows(ear))
        paused = await visitor.post(f"/live/pause?view={view_of(path)}")
        assert ">Resume</button>" in paused.text
        assert "Paused." in paused.text
        await asyncio.sleep(0.1)  # what was under way
        heard = len(ear.raw)
        put(kinesis, *(event() for _ in range(500)))
        feed = feed_of(visitor)
        await until(lambda: feed.last_number == 501)
        await asyncio.sleep(0.2)
        assert len(ear.raw) == heard
        resumed = await visitor.post(f"/live/resume?view={view_of(path)}")
        assert ">Pause</button>" in resumed.text
        await until(lambda: "gap-" in ear.all("rows"))
        assert f"{501 - MOST_ROWS} more came while it was paused" in ear.all("rows")
        assert len(rows(ear)) == MOST_ROWS


async def test_a_page_that_was_cut_off_goes_on_where_it_was(visitor: Visitor, kinesis: FakeKinesis) -> None:
    path = await opened(visitor)
    async with listening(visitor, path) as ear:
        put(kinesis, event(userId="a"))
        await until(lambda: rows(ear))
    put(kinesis, event(userId="b"))
    async with listening(visitor, path) as again:
        await until(lambda: rows(again))
        assert [cells(row)[2] for row in rows(again)] == ["b"]
        assert again.told("status")


async def test_a_record_is_shown_whole_with_all_that_is_known_of_it(
    visitor: Visitor, kinesis: FakeKinesis
) -> None:
    path = await opened(visitor)
    async with listening(visitor, path) as ear:
        put(kinesis, event(n=1, receivedAt="2026-01-01T00:00:00.000Z"))
        await until(lambda: rows(ear))
        answer = await visitor.get(f"/live/record/1?view={view_of(path)}", **{"HX-Request": "true"})
        [record] = kinesis.ledger.records("events")
        for text in (
            record.shard_id,
            record.sequence_number,
            "164114529109600808371696498605782324044",  # MD5 of "u", as an integer
            "s after receivedAt",
            f"{len(record.data) + 1:,} bytes",
        ):
            assert text in answer.text, text
        assert '"messageId": "m",\n  "projectId": "web",\n  "n": 1' in html.unescape(answer.text)
        for number in (0, 2, 10**30):
            gone = await visitor.get(f"/live/record/{number}?view={view_of(path)}")
            assert "is no longer kept" in gone.text


@pytest.mark.parametrize(
    "data",
    [
        json.dumps(event(event=HOSTILE, userId=HOSTILE, projectId=HOSTILE, type=HOSTILE)[1]).encode(),
        json.dumps({"event": HOSTILE, HOSTILE: [HOSTILE]}, ensure_ascii=False).encode(),
        HOSTILE.encode(),
        b'{"type":"track","event":"\\ud83d\\ud83d","userId":"\\udc00"}',
        b"\x00\xff\xfe<script>\r\nevent: rows\r\ndata: x\r\n\r\n",
        b'{"type":"track","event":"' + b"x" * 1_000_000 + b'"}',
    ],
    ids=["escaped", "raw", "text", "surrogates", "binary", "long"],
)
async def test_hostile_records_are_shown_and_do_nothing(
    visitor: Visitor, kinesis: FakeKinesis, data: bytes
) -> None:
    path = await opened(visitor)
    async with listening(visitor, path) as ear:
        put(kinesis, ("key", data))
        await until(lambda: ear.told("rows"))
        record = (await visitor.get(f"/live/record/1?view={view_of(path)}")).text
        assert len(rows(ear)) == 1
        for shown in (ear.all("rows"), record):
            assert "<script" not in shown
            assert "<img" not in shown
            assert len(shown) < 400_000
            assert all(each.isprintable() or each == "\n" for each in shown)
        assert len(ear.raw) < 5_000
        assert {name for name, _ in ear.events} <= {"rows", "status", "fault"}


async def test_a_fault_is_told_and_goes_when_it_is_mended(visitor: Visitor, kinesis: FakeKinesis) -> None:
    async with listening(visitor, await opened(visitor)) as ear:
        await until(lambda: ear.told("status"))
        with kinesis.faults.add(FailRequests("AccessDeniedException", operations=("GetRecords",))):
            await until(lambda: ear.all("fault").strip())
            assert "reading &#39;events&#39; in us-west-2: AccessDeniedException: " in ear.told("fault")[-1]
        await until(lambda: ear.told("fault")[-1] == "")
        put(kinesis, event())
        await until(lambda: rows(ear))


async def test_a_page_that_goes_away_is_not_read_for(visitor: Visitor, kinesis: FakeKinesis) -> None:
    path = await opened(visitor)
    feed = feed_of(visitor)
    async with listening(visitor, path) as ear:
        await until(lambda: ear.told("status"))
        assert feed._listeners == 1
        await visitor.post(f"/live/pause?view={view_of(path)}")
    await until(lambda: feed._listeners == 0)


async def test_a_page_is_its_sessions_alone(visitor: Visitor) -> None:
    path = await opened(visitor)
    await visitor.enter()  # the same browser by another link
    for action in ("pause", "resume"):
        answer = await visitor.post(f"/live/{action}?view={view_of(path)}")
        assert answer.status == 404
        assert "the console has forgotten this page; load it anew" in answer.text
    assert "is no longer kept" in (await visitor.get(f"/live/record/1?view={view_of(path)}")).text
    assert (await visitor.post(f"/live/clear?view={view_of(path)}")).text == ""


async def test_cleared_the_count_begins_anew(visitor: Visitor, kinesis: FakeKinesis) -> None:
    path = await opened(visitor)
    async with listening(visitor, path) as ear:
        put(kinesis, event(), event())
        await until(lambda: "2 came" in ear.all("status"))
        assert (await visitor.post(f"/live/clear?view={view_of(path)}")).text == ""
        put(kinesis, event())
        await until(lambda: "1 came: 1 shown." in ear.told("status")[-1])
