"""The page *Dead letters* over a file: what it shows of them, and that it sends what is asked for."""

import asyncio
import json
import re
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from headgate.console.letters import letterbox
from headgate.overflow.dead_letters import DeadLetter
from headgate.overflow.letter_file import FileDeadLetters
from headgate.overflow.origin import Origin
from headgate.testing import FakeKinesis, HangConnection
from tests.console.letters.letters import SOURCES, Reader, in_streams, left, rows, said
from tests.console.visitor import Visitor, visiting
from tests.overflow.letters import EVENTS, OTHERS, a_letter
from tests.overflow.sqs import until

HOUR = timedelta(hours=1)
HOSTILE = '</td></tr><script>alert(1)</script><img src=x onerror="alert(2)">\u202e'


def some_letters() -> list[DeadLetter]:
    now = datetime.now(UTC)
    three = b'{"messageId":"three","type":"track","event":"Order Completed","total":1.10}'
    return [
        a_letter(EVENTS, "one", message="the record is too large", time=now - 36 * HOUR),
        a_letter(EVENTS, "two", code="undeliverable", time=now - 3 * HOUR),
        a_letter(EVENTS, "three", three, message="it is larger yet", time=now - HOUR),
        a_letter(OTHERS, "four", time=now - 2 * HOUR),
        a_letter(None, "", b"\x00junk\xff<b>", code="overflow_unreadable", time=now - HOUR),
    ]


@pytest.fixture
async def letters(tmp_path: Path) -> Path:
    path = tmp_path / "dead.jsonl"
    await FileDeadLetters(path).put(some_letters())
    return path


@pytest.fixture
async def visitor(tmp_path: Path, letters: Path, kinesis: FakeKinesis) -> AsyncIterator[Visitor]:
    (tmp_path / "src.toml").write_text(SOURCES)
    async with visiting(tmp_path, sources=str(tmp_path / "src.toml"), dead_letter_file=letters) as opened:
        yield opened


@pytest.fixture
def reader(visitor: Visitor) -> Reader:
    return Reader(visitor)


async def test_without_a_store_the_page_says_how_to_name_one(tmp_path: Path) -> None:
    async with visiting(tmp_path) as visitor:
        answer = await visitor.get("/letters")
        assert answer.status == 200
        assert "start the console with --dead-letter-queue URL or --dead-letter-file PATH" in said(answer)
        assert (await visitor.get("/letters/found")).status == 400
        assert (await visitor.post("/letters/look")).status == 400


async def test_a_file_is_shown_at_once_by_destination_and_reason(
    visitor: Visitor, letters: Path, kinesis: FakeKinesis
) -> None:
    before = await asyncio.to_thread(letters.read_bytes)
    page = await visitor.get("/letters")
    assert f"In the file {letters}" in said(page)
    assert 'hx-get="/letters/found" hx-trigger="load"' in page.text
    found = await visitor.get("/letters/found")
    head, *groups = rows(found)
    assert head == "Destination Reason Letters KB Oldest Newest Actions"
    assert [re.sub(r" [\d.]+ (?=\d)", " - ", each.partition(" Open ")[0], count=1) for each in groups] == [
        "src/events us-west-2 too_large it is larger yet - 0.1 1.5 d 1.0 h",
        "src/events us-west-2 undeliverable no good - 0.0 3.0 h 3.0 h",
        "another/others us-west-2 too_large no good - 0.0 2.0 h 2.0 h",
        "nobody can read where to overflow_unreadable no good - 0.0 1.0 h 1.0 h",
    ]
    assert "5 letters found" in said(found)
    assert await asyncio.to_thread(letters.read_bytes) == before
    assert not kinesis.ledger.calls


async def test_a_group_opens_its_letters_and_each_its_record_and_its_event(reader: Reader) -> None:
    await reader.look()
    group = await reader.visitor.get("/letters/group?look=1&group=1")
    assert "Letters of src/events: too_large" in said(group)
    _, newest, oldest = rows(group)
    assert " three track Order Completed three 75 Show " in newest
    assert " one track one " in oldest
    place = re.findall(r"letter=(\d+)", group.text)[0]
    letter = await reader.visitor.get(f"/letters/letter?look=1&letter={place}")
    text = said(letter)
    for part in (
        "Destination src/events in us-west-2 Role your own credentials",
        "Code too_large Reason it is larger yet",
        "1.0 h ago Partition key three Size 75 bytes Message ID three",
        '{ "messageId": "three", "type": "track", "event": "Order Completed", "total": 1.10 }',
    ):
        assert part in text


async def test_a_letter_that_cannot_be_read_is_shown_as_such_and_is_not_sent(reader: Reader) -> None:
    found = await reader.look(code="overflow_unreadable")
    assert "Send again" not in rows(found)[1]
    letter = await reader.visitor.get("/letters/letter?look=1&letter=1")
    text = said(letter)
    assert "Letter that cannot be read" in text
    assert "This is no JSON." in text
    assert "\\u0000junk\\xff<b>" in text
    assert "Send this one" not in text
    counted = await reader.count(found)
    assert "0 would be sent, 1 kept" in said(counted)
    assert "hx-post" not in counted


async def test_hostile_content_is_shown_and_does_nothing(reader: Reader, letters: Path) -> None:
    origin = Origin(source_id=HOSTILE, region=HOSTILE, stream_name=HOSTILE, role_address=HOSTILE)
    await asyncio.to_thread(letters.unlink)
    members = '{"messageId":%s,"event":%s,"lone":"\\ud800"}'
    event = (members % (json.dumps(HOSTILE, ensure_ascii=False), json.dumps(HOSTILE))).encode()
    await FileDeadLetters(letters).put(
        [
            a_letter(origin, HOSTILE, event, code=HOSTILE, message=HOSTILE),
            a_letter(EVENTS, "large", b'{"a":"' + b"x" * 10_000_000 + b'"}', code=HOSTILE),
            a_letter(EVENTS, "deep", b"[" * 50_000, code=HOSTILE),
        ]
    )
    found = await reader.look()
    number = re.findall(r"look=(\d+)", found.text)[0]
    paths = ("group?look={}&group=1", "group?look={}&group=2")
    paths += tuple(f"letter?look={{}}&letter={place}" for place in (1, 2, 3))
    answers = [await reader.visitor.get("/letters/" + path.format(number)) for path in paths]
    assert {answer.status for answer in answers} == {200}
    assert all(len(answer.text) < 150_000 for answer in answers)
    shown = [found.text, await reader.count(found), (await reader.visitor.get("/letters")).text]
    together = "".join(shown + [answer.text for answer in answers])
    for harmful in ("<script>", "<img src=x", "\u202e", '"alert(2)"', "\ud800"):
        assert harmful not in together
    for harmless in ("&lt;script&gt;alert(1)", "onerror=&#34;alert(2)&#34;", "\\u202e", "\\ud800"):
        assert harmless in together
    assert "Shown are the first 50,000 characters; it has 10,000,008 bytes." in together
    assert "This is no JSON." in together


async def test_all_that_the_filters_leave_is_counted_and_then_sent(
    reader: Reader, kinesis: FakeKinesis, letters: Path
) -> None:
    asked: list[tuple[dict[str, str], list[str]]] = [
        ({"source": "src"}, ["one", "three", "two"]),
        ({"code": "undeliverable"}, ["two"]),
        ({"message_id": "one"}, ["one"]),
        ({"older_than": "1d"}, ["one"]),
        ({"newer_than": "4h", "older_than": "90m", "source": "src"}, ["two"]),
        ({"stream": "others, no"}, ["four"]),
    ]
    for filters, keys in asked:
        found = await reader.look(**filters)
        assert f"{len(keys)} letter" in said(found)
        counted = await reader.count(found)
        assert f"{len(keys)} would be sent; nothing was sent." in said(counted)
    assert not kinesis.ledger.calls
    await reader.send(counted)
    assert "1 sent, 0 kept." in said(await reader.until_over())
    assert in_streams(kinesis) == ["four"]
    found = await reader.look(newer_than="4h", older_than="90m", source="src")
    assert "1 sent, 0 kept." in said(await reader.send_again(found))
    assert in_streams(kinesis) == ["four", "two"]
    assert left(letters) == ["", "one", "three"]


async def test_a_dry_run_names_what_the_settings_do_not_have_any_more(reader: Reader) -> None:
    counted = await reader.count(await reader.look())
    assert [each.split(" ", 2)[0] + " " + each.rsplit(" ", 1)[1] for each in rows(counted)[1:3]] == [
        "src/events yes",
        "another/others no",
    ]
    assert "The settings do not have another/others in us-west-2 any more" in said(counted)
    assert "4 would be sent, 1 kept, since nobody can read where to; nothing was sent." in said(counted)


async def test_a_group_or_one_letter_is_sent_alone(
    reader: Reader, kinesis: FakeKinesis, letters: Path
) -> None:
    found = await reader.look()
    assert "2 sent, 0 kept." in said(await reader.send_again(found, group="1"))
    assert in_streams(kinesis) == ["one", "three"]
    found = await reader.look()
    assert "1 sent, 0 kept." in said(await reader.send_again(found, letter="1"))
    assert in_streams(kinesis) == ["one", "three", "two"]
    assert left(letters) == ["", "four"]


async def test_no_more_are_sent_than_was_asked_or_counted(
    reader: Reader, kinesis: FakeKinesis, letters: Path
) -> None:
    counted = await reader.count(await reader.look(), most="2", per_second="100")
    assert "at most 100 records a second" in said(counted)
    assert "2 would be sent" in said(counted)
    await reader.send(counted)
    assert "2 sent, 0 kept." in said(await reader.until_over())
    counted = await reader.count(await reader.look(source="src"))
    await FileDeadLetters(letters).put([a_letter(EVENTS, "later")])
    await reader.send(counted)
    assert "1 sent, 0 kept." in said(await reader.until_over())
    assert in_streams(kinesis) == ["one", "three", "two"]


async def test_what_kinesis_does_not_take_is_kept_with_the_reason(
    reader: Reader, kinesis: FakeKinesis, letters: Path
) -> None:
    kinesis.delete_stream("others")
    try:
        text = said(await reader.send_again(await reader.look()))
    finally:
        kinesis.create_stream("others")
    assert "3 sent, 2 kept." in text
    assert "1 of another/others kept: ResourceNotFoundException : " in text
    assert "1 kept: nobody can read where they were bound for" in text
    assert left(letters) == ["", "four"]


async def test_a_stop_is_in_good_order_and_two_at_once_are_refused_in_one_line(
    reader: Reader, kinesis: FakeKinesis, letters: Path
) -> None:
    await FileDeadLetters(letters).put([a_letter(EVENTS, f"many-{number}") for number in range(200)])
    found = await reader.look(source="src")
    counted = await reader.count(found, per_second="20")
    await reader.send(counted)
    for refused in (
        await reader.send(counted),
        await reader.visitor.post("/letters/count", {"look": re.findall(r"look=(\d+)", found.text)[0]}),
    ):
        assert refused.status == 400
        assert said(refused) == "letters are being sent: stop that, or wait until it has ended"
    await until(lambda: in_streams(kinesis))
    name, progress = (await reader.visitor.events("/letters/events", 1))[0]
    assert (name, "of about 205 letters seen" in said(progress)) == ("progress", True)
    assert "Sending again" in said(await reader.visitor.get("/letters"))
    assert "Stopping" in said(await reader.visitor.post("/letters/stop"))
    text = said(await reader.until_over())
    assert "It was stopped: what was not sent is where it was." in text
    sent = in_streams(kinesis)
    assert 0 < len(sent) < 203
    assert f"{len(sent)} sent, 0 kept." in text
    assert sorted(sent + left(letters)) == sorted(
        ["", "four", "one", "two", "three", *(f"many-{number}" for number in range(200))]
    )


async def test_a_page_that_is_left_in_the_middle_stops_nothing_and_finds_it_again(
    reader: Reader, kinesis: FakeKinesis, letters: Path
) -> None:
    await FileDeadLetters(letters).put([a_letter(OTHERS, f"many-{number}") for number in range(20)])
    await reader.send(await reader.count(await reader.look(source="another"), per_second="100"))
    await reader.visitor.events("/letters/events", 1)
    await until(lambda: len(in_streams(kinesis)) == 21)
    ended = await reader.until_over()
    assert "21 sent, 0 kept." in said(ended)
    assert 'hx-get="/letters/found"' in ended
    page = await reader.visitor.get("/letters")
    assert "21 sent, 0 kept." in said(page)
    assert "sse-connect" not in page.text
    assert 'name="source" value="another"' in page.text
    assert left(letters) == ["", "one", "three", "two"]


async def test_the_end_of_the_console_in_the_middle_loses_nothing(
    tmp_path: Path, letters: Path, kinesis: FakeKinesis, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "src.toml").write_text(SOURCES)
    monkeypatch.setattr(letterbox, "END_WITHIN", 0.2)
    hanging = kinesis.faults.add(HangConnection(stream="others"))
    async with visiting(tmp_path, sources=str(tmp_path / "src.toml"), dead_letter_file=letters) as visitor:
        reader = Reader(visitor)
        await reader.send(await reader.count(await reader.look()))
        await until(lambda: hanging.struck)
        watching = asyncio.create_task(visitor.events("/letters/events", 10**9))
        await asyncio.sleep(0)
    watching.cancel()
    await asyncio.wait([watching])
    kinesis.faults.clear()
    assert set(left(letters)) | set(in_streams(kinesis)) == {"one", "two", "three", "four", ""}
    assert "four" in left(letters)


async def test_what_is_gone_or_wrong_is_one_line(reader: Reader, letters: Path) -> None:
    get, post = reader.visitor.get, reader.visitor.post
    found = await reader.look()
    number = re.findall(r"look=(\d+)", found.text)[0]
    for answer, line in (
        (await get("/letters/group?look=99&group=1"), "the letters were looked at anew since; look again"),
        (await get(f"/letters/group?look={number}&group=9"), "there is no such group; look again"),
        (await get(f"/letters/letter?look={number}"), "there is no such letter; look again"),
        (
            await get(f"/letters/letter?look={number}&letter=x"),
            "letter: 'x' is not allowed; allowed: a whole",
        ),
        (
            await post("/letters/count", {"look": number, "most": "0"}),
            "At most: '0' is not allowed; allowed:",
        ),
        (await post("/letters/send", {"count": "1"}), "that dry run is no longer the last; make another one"),
        (await post("/letters/look", {"older_than": "soon"}), "Given up before: 'soon' is no point in time"),
        (await get("/letters/events"), "nothing is under way"),
    ):
        assert answer.status == 400
        assert line in said(answer)
    await asyncio.to_thread(letters.unlink)
    answer = await get("/letters/found")
    assert "there is no such file; the forwarder makes it with its first dead letter" in said(answer)


async def test_of_many_the_first_can_be_opened_page_by_page_and_the_rest_is_counted(
    reader: Reader, letters: Path
) -> None:
    await FileDeadLetters(letters).put([a_letter(OTHERS, f"many-{number}") for number in range(1_100)])
    found = await reader.look(source="another")
    assert "The first 1,000 can be opened; 101 more are counted here." in said(found)
    number = re.findall(r"look=(\d+)", found.text)[0]
    group = await reader.visitor.get(f"/letters/group?look={number}&group=1&page=20")
    assert "1,000 of 1,101 can be opened" in said(group)
    assert "Page 20 of 20" in said(group)
    assert len(rows(group)) == 51
    assert "Older" not in said(group)
    assert "page=19" in group.text


async def test_settings_that_cannot_be_read_are_one_line_and_nothing_is_sent(
    reader: Reader, tmp_path: Path, kinesis: FakeKinesis, letters: Path
) -> None:
    found = await reader.look()
    (tmp_path / "src.toml").write_text("no toml")
    counted = await reader.count(found)
    assert 'role="alert"' in counted
    assert "src.toml" in said(counted)
    assert "Send" not in said(counted)
    assert (await reader.visitor.post("/letters/send", {"count": "2"})).status == 400
    assert not kinesis.ledger.calls
    assert len(left(letters)) == 5


def test_nothing_of_the_command_line_is_imported() -> None:
    rooms = Path(letterbox.__file__).parents[2]
    forbidden = re.compile(r"^\s*(?:from|import) (?:headgate\.cli|typer|rich)\b", re.MULTILINE)
    for room in ("console", "overflow", "settings", "delivery", "reading"):
        modules = sorted((rooms / room).rglob("*.py"))
        assert modules
        assert not [path for path in modules if forbidden.search(path.read_text(encoding="utf-8"))]
