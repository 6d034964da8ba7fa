"""Somebody at the console's page of the dead letters, before a fake Kinesis."""

import html
import re
from dataclasses import dataclass
from pathlib import Path

from headgate.overflow.letter_file import read
from headgate.testing import FakeKinesis
from tests.console.visitor import Answer, Visitor

SOURCES = """\
[[sources]]
id = "src"
write_keys = ["wk"]

[[sources.destinations]]
stream_name = "events"
"""
STREAMS = {"events": 2, "others": 1}
_TAG = re.compile(r"<[^>]*>")
_NUMBER = re.compile(r"""look=(\d+)|name="look" value="(\d+)""")
_COUNT = re.compile(r'"count": (\d+)')


def said(answer: Answer | str) -> str:
    """Return what is read on a page, or on a part of one."""
    text = answer if isinstance(answer, str) else answer.text
    return html.unescape(" ".join(_TAG.sub(" ", text).split()))


def rows(answer: Answer | str) -> list[str]:
    """Return what is read in the rows of its tables."""
    text = answer if isinstance(answer, str) else answer.text
    return [said(row) for row in re.findall(r"<tr>(.*?)</tr>", text, re.DOTALL)]


@dataclass
class Reader:
    """Looks at letters and sends them again, as somebody with a browser does."""

    visitor: Visitor

    async def look(self, **filters: str) -> Answer:
        """Look, and return what was found; of a queue once that is over."""
        answer = await self.visitor.post("/letters/look", filters)
        if "sse-connect" in answer.text:
            await self.until_over()
            answer = await self.visitor.get("/letters/found")
        return answer

    async def count(self, found: Answer, **chosen: str) -> str:
        """Make a dry run of what is chosen of what was found; return what it tells."""
        [number, *_] = (first or second for first, second in _NUMBER.findall(found.text))
        answer = await self.visitor.post("/letters/count", {"look": number} | chosen)
        return await self.until_over() if "sse-connect" in answer.text else answer.text

    async def send(self, counted: str) -> Answer:
        """Begin to send what was counted."""
        return await self.visitor.post("/letters/send", {"count": _COUNT.findall(counted)[0]})

    async def send_again(self, found: Answer, **chosen: str) -> str:
        """Send what is chosen of what was found; return what came of it."""
        await self.send(await self.count(found, **chosen))
        return await self.until_over()

    async def until_over(self) -> str:
        """Return what is told at the end of what is under way."""
        events = await self.visitor.events("/letters/events", 10**9)
        assert events[-1][0] == "ended"
        assert {name for name, _ in events[:-1]} <= {"progress"}
        return events[-1][1]


def left(path: Path) -> list[str]:
    """Return the partition keys of the letters of a file."""
    return sorted(each.partition_key for _, each in read(path)[0])


def in_streams(kinesis: FakeKinesis) -> list[str]:
    """Return the partition keys that Kinesis has."""
    return sorted(each.partition_key for name in STREAMS for each in kinesis.ledger.records(name))
