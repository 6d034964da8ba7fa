"""The forwarder as a process, and events for it from Segment's own Python SDK."""

import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from segment.analytics.client import Client

from demo.processes import Child, DemoError, answer, free_port, running
from demo.stack import StreamStackOutputs

HEADGATE = Path(sys.executable).with_name("headgate")

_SOURCE = """\
[[sources]]
id = "{source_id}"
name = "{name}"
write_keys = ["{write_key}"]

[[sources.destinations]]
region = "{destination.stream_region}"
stream_name = "{destination.stream_name}"
role_address = "{destination.role_address}"
"""

Event = dict[str, Any]


def source_toml(source_id: str, name: str, write_key: str, destination: StreamStackOutputs) -> str:
    """Return a source for a `sources.toml`, with one destination made of a stack's outputs.

    The External ID that the forwarder sends is the source ID, as it is where no Secret ID is given.
    """
    return _SOURCE.format(source_id=source_id, name=name, write_key=write_key, destination=destination)


@contextmanager
def forwarder(
    sources: Path | str, *options: str, environment: Mapping[str, str], log: Path, port: int | None = None
) -> Iterator[tuple[str, Child]]:
    """Run `headgate serve` for as long as the block lasts; give its URL and its process.

    Args:
        sources: its settings: a file, or where else they are.
        options: more of `headgate serve`'s.
        environment: all of its environment variables.
        log: where it writes to.
        port: where it listens; None for any port that is free.

    Raises:
        DemoError: it does not start; with the last line that it wrote.
    """
    port = port or free_port()
    command = [HEADGATE, "serve", "--sources", sources, "--port", str(port), "--drain", "1", *options]
    with running("headgate serve", [*map(str, command)], environment=environment, log=log) as child:
        url = f"http://127.0.0.1:{port}"
        child.wait_until(lambda: answer(f"{url}/healthz") is not None, 25)
        yield url, child


def send_one_of_each(url: str, write_key: str) -> list[Event]:
    """Send a page, an identify, a track and a group call, and return them as the SDK made them.

    Raises:
        DemoError: the SDK could not deliver them.
    """
    failures: list[str] = []
    client = Client(
        write_key,
        host=url,
        # The defaults go on trying for half a day.
        max_retries=5,
        max_total_backoff_duration=20,
        upload_interval=0.1,
        on_error=lambda error, _batch: failures.append(str(error) or type(error).__name__),
    )
    user = "user-" + datetime.now(UTC).strftime("%H%M%S")
    calls = [
        client.page(user, name="Pricing", properties={"path": "/pricing"}),
        client.identify(user, traits={"email": "ada@example.com", "plan": "team"}),
        client.track(user, "Order Completed", {"revenue": 39.95, "currency": "EUR"}),
        client.group(user, "acme", {"name": "Acme", "employees": 42}),
    ]
    client.shutdown()
    if failures or not all(accepted for accepted, _ in calls):
        raise DemoError(f"the SDK could not deliver its calls: {'; '.join(failures) or 'its queue is full'}")
    return [event for _, event in calls]
