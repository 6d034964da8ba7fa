"""Events that flow under a role whose policy allows PutRecord alone at first, and PutRecords soon after.

A forwarder finds out within a minute, so the events flow on while other tests run.
"""

import asyncio
import threading
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from demo.story import OWNER, REGION
from headgate.settings.schema import Destination, Source
from tests.acceptance.clients import Client, connections, users_of
from tests.acceptance.fake_aws import name_of
from tests.acceptance.serving import Forwarder, JsonObject, eventually, serving
from tests.acceptance.world import PUT, World, allow, make_role

STREAM = "one-by-one"


@dataclass
class OneByOne:
    """A forwarder, and a client that sends to it from a thread until it is told to finish."""

    forwarder: Forwarder
    source: Source
    as_singles: JsonObject = field(default_factory=dict)
    """What `/statusz` showed of the destination before PutRecords was allowed."""
    acknowledged: list[str] = field(default_factory=list)
    _finish: threading.Event = field(default_factory=threading.Event)
    _traffic: "Future[None] | None" = None

    def shown(self) -> JsonObject:
        """Return what `/statusz` shows of the destination."""
        return self.forwarder.destinations().get(name_of(self.source), {})

    def finish(self) -> None:
        """Send no more; all that was sent is acknowledged then."""
        self._finish.set()
        assert self._traffic is not None
        self._traffic.result(30)

    async def send(self) -> None:
        """Send until told to finish, each request until it is acknowledged."""
        async with connections() as http:
            clients = [
                Client(http, self.forwarder.url, self.source, [user]) for user in users_of(self.source, 6)
            ]
            while not self._finish.is_set():
                await asyncio.gather(
                    *(client.deliver(client.request(events_per_user=3)) for client in clients)
                )
                self.acknowledged = [one for client in clients for one in client.acknowledged]
                await asyncio.sleep(0.25)


@contextmanager
def flowing(world: World, directory: Path) -> Iterator[OneByOne]:
    """Let events flow one by one, then allow PutRecords while they do."""
    world.aws.client("kinesis", world.aws.root(OWNER), REGION).create_stream(StreamName=STREAM, ShardCount=2)
    role = make_role(world, STREAM, external_id="src-one-by-one", actions=["kinesis:PutRecord"])
    destination = Destination(stream_name=STREAM, region=REGION, role_address=role)
    source = Source(id="src-one-by-one", write_keys=("wk-one-by-one",), destinations=(destination,))
    with serving([source], world.caller_environment, directory) as forwarder, ThreadPoolExecutor(1) as thread:
        events = OneByOne(forwarder, source)
        events._traffic = thread.submit(asyncio.run, events.send())
        try:
            asyncio.run(eventually(lambda: events.shown().get("metrics", {}).get("DeliveredRecords", 0) > 50))
            events.as_singles = events.shown()
            allow(world, STREAM, PUT)
            yield events
        finally:
            events.finish()
