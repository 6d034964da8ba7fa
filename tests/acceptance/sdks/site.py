"""A forwarder before the fake Kinesis, and what arrived there."""

import json
import os
from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from demo.forwarder import forwarder
from demo.processes import Child, free_port
from headgate.testing import FakeKinesis, Ledger
from headgate.testing.ledger import AcceptedRecord
from tests.acceptance.sdks.arrivals import Event, Sent, differences, sent_by
from tests.acceptance.sdks.calls import SOURCE_ID, WRITE_KEY
from tests.acceptance.sdks.tap import Tap

STREAM = "events"

_SOURCES = f"""\
[[sources]]
id = "{SOURCE_ID}"
write_keys = ["{WRITE_KEY}"]
%s
[[sources.destinations]]
stream_name = "{STREAM}"
"""


@dataclass(frozen=True)
class Site:
    """Where SDKs send to, and where it ends up."""

    kinesis: FakeKinesis
    tap: Tap
    port: int
    directory: Path

    @property
    def url(self) -> str:
        """Where SDKs are pointed at."""
        return self.tap.url

    def limit(self, events_per_second: int | None) -> None:
        """Set how many events the source may send; a running forwarder follows."""
        limit = f"max_events_per_second = {events_per_second}\n" if events_per_second else ""
        # At once, so that nobody reads half of it.
        written = self.directory / "sources.toml.new"
        written.write_text(_SOURCES % limit, encoding="utf-8")
        written.replace(self.directory / "sources.toml")

    def serving(self, *options: str) -> AbstractContextManager[tuple[str, Child]]:
        """Run the forwarder, always on the same port."""
        return forwarder(
            self.directory / "sources.toml",
            "--public-url",
            self.url,
            "--status-port",
            "-1",
            *options,
            environment=os.environ | self.kinesis.environment(),
            log=self.directory / "serve.log",
            port=self.port,
        )

    def arrived(self) -> dict[str, list[AcceptedRecord]]:
        """Return all records by their message IDs."""
        return self.kinesis.ledger.by_message_id(STREAM)

    def wait_for(self, events: int, *, seconds: float = 20) -> None:
        """Return once that many different events have arrived."""

        def enough(ledger: Ledger) -> bool:
            return len(ledger.by_message_id(STREAM)) >= events

        self.kinesis.until(enough, seconds=seconds)

    def sent(self) -> list[Sent]:
        """Return all events that SDKs sent through the tap; one that was sent again is there again."""
        return [one for exchange in self.tap.exchanges() for one in sent_by(exchange)]

    def check(self, sent: Sequence[Sent], *, since: datetime) -> dict[str, list[Event]]:
        """Return the events that arrived by message ID, once all of them, and nothing else, are as sent."""
        by_id: defaultdict[str | None, list[Sent]] = defaultdict(list)
        for one in sent:
            by_id[one.message_id].append(one)
        events, wrong = {}, {}
        for message_id, records in self.arrived().items():
            events[message_id] = [json.loads(each.data) for each in records]
            for record, event in zip(records, events[message_id], strict=True):
                ways = [differences(one, record.data, since=since) for one in by_id[message_id]]
                found = min(ways, key=len, default=["nobody sent it"])
                if record.partition_key != (event.get("userId") or event.get("anonymousId")):
                    found.append(f"its partition key is {record.partition_key}")
                if found:
                    wrong[message_id] = found
        assert wrong == {}
        assert events.keys() == by_id.keys()
        return events


@contextmanager
def site(directory: Path) -> Iterator[Site]:
    """Make a site whose forwarder does not run yet."""
    port = free_port()
    with FakeKinesis(streams={STREAM: 2}) as kinesis, Tap(port) as tap:
        made = Site(kinesis, tap, port, directory)
        made.limit(None)
        yield made
