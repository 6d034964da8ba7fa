"""Checks that a page begins, of destinations that a file keeps, on a fake of AWS."""

import asyncio
import html
import re
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from headgate.checking.outcomes import Step, ok
from headgate.testing import FakeKinesis
from tests.console.visitor import Visitor, visiting

ROLE = "arn:aws:iam::123456789012:role/writer"
SECRET = "planted-secret"
SOURCES = f"""\
[[sources]]
id = "web"
write_keys = ["k"]
[[sources.destinations]]
stream_name = "events"
role_address = "{ROLE}"
secret_id = "{SECRET}"
"""


@pytest.fixture
def kinesis(monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeKinesis]:
    with FakeKinesis(streams={"events": 1}) as kinesis:
        kinesis.identities.add_role(ROLE, external_ids=[SECRET])
        kinesis.identities.simulate({"kinesis:PutRecord": "allowed", "kinesis:PutRecords": "allowed"})
        for name, value in kinesis.environment().items():
            monkeypatch.setenv(name, value)
        yield kinesis


@pytest.fixture
def sources(tmp_path: Path) -> str:
    path = tmp_path / "sources.toml"
    path.write_text(SOURCES)
    return str(path)


async def begun(visitor: Visitor, **fields: str) -> str:
    """Begin a check; return where its steps are told."""
    answer = await visitor.post("/destinations/check", {"source": "web", "place": "1", **fields})
    assert answer.status == 200, answer.text
    [path] = re.findall(r'sse-connect="([^"]+)"', answer.text)
    return html.unescape(path)


async def test_its_steps_are_told_with_their_states_and_seconds(
    kinesis: FakeKinesis, sources: str, tmp_path: Path
) -> None:
    async with visiting(tmp_path, sources=sources) as visitor:
        events = await visitor.events(await begun(visitor, put="on"), 1_000)
        steps = [data for name, data in events if name == "steps"]
        names = re.findall(r'<th scope="row">(\w+)</th>', steps[-1])
        assert names == [
            "settings",
            "region",
            "caller",
            "role",
            "trust",
            "stream",
            "permissions",
            "key",
            "put",
        ]
        assert re.findall(r'class="badge good">(\w+)<', steps[-1]) == ["ok"] * 9
        assert len(re.findall(r'<td class="figure">\d+\.\d\d</td>', steps[-1])) == 9
        states = [data.strip() for name, data in events if name == "state"]
        assert states[-1] == "Nothing is wrong, as far as can be told from here."
        assert events[-1] == ("end", "")
        assert SECRET not in str(events)
        kinesis.identities.add_role(ROLE, external_ids=["another"])
        events = await visitor.events(await begun(visitor), 1_000)
        last = [data for name, data in events if name == "steps"][-1]
        assert '<span class="badge bad">failed</span>' in last
        assert "<strong>Fix:</strong>" in last
        assert "needs role" in last
        assert SECRET not in str(events)


class Held:
    """In the place of a check: its second step waits until it is let go."""

    go = threading.Event()

    def __init__(self, *_: object, **__: object) -> None:
        pass

    def steps(self, begin: Callable[[str], object]) -> Iterator[Step]:
        for name in ("settings", "region"):
            begin(name)
            if name == "region":
                self.go.wait(10)
            yield Step(name, ok(name.upper()), 0.0)


async def test_steps_are_told_as_they_come_and_a_page_may_leave_and_come_back(
    sources: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("headgate.console.destinations.check.Check", Held)
    async with visiting(tmp_path, sources=sources) as visitor:
        path = await begun(visitor)
        seen: list[tuple[str, str]] = []
        async with asyncio.timeout(10):
            while not any("Under way: region" in data for _, data in seen):
                seen = await visitor.events(path, 2)  # and no more of it is read
        assert "SETTINGS" in seen[0][1]
        assert "REGION" not in seen[0][1]
        assert await begun(visitor) == path  # one at a time
        assert f'sse-connect="{path}"' in (await visitor.get("/destinations/web/1")).text
        Held.go.set()
        events = await visitor.events(path, 1_000)
        assert events[-1] == ("end", "")
        assert "REGION" in [data for name, data in events if name == "steps"][-1]
        assert "sse-connect" not in (await visitor.get("/destinations/web/1")).text
        assert await begun(visitor) != path


async def test_what_is_not_there_is_not_checked(sources: str, tmp_path: Path) -> None:
    async with visiting(tmp_path, sources=sources) as visitor:
        events = await visitor.events(await begun(visitor, place="2"), 1_000)
        assert "there is no destination 2 of a source &#39;web&#39; any more" in events[-2][1]
        assert (await visitor.post("/destinations/check", {"place": "x"})).status == 400
        events = await visitor.events("/destinations/check/steps?run=none", 1_000)
        assert events == [("state", "This check is forgotten; begin another."), ("end", "")]
