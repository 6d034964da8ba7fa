"""What the workers of a forwarder take of the machine: memory and file descriptors must not grow."""

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from tests.acceptance.serving import Forwarder

MIB = 1024 * 1024
MOST_MIB = 256
"""The memory budget of a worker."""


@dataclass
class Watch:
    """What every worker takes of the machine, looked at again and again."""

    resident: dict[int, list[int]] = field(default_factory=dict)
    """MiB of each process, by its ID."""
    descriptors: dict[int, list[int]] = field(default_factory=dict)

    def look(self, forwarder: Forwarder) -> None:
        for worker in forwarder.status()["workers"]:
            process = Path(f"/proc/{worker['pid']}")
            pages = int((process / "statm").read_text().split()[1])
            self.resident.setdefault(worker["pid"], []).append(pages * os.sysconf("SC_PAGE_SIZE") // MIB)
            self.descriptors.setdefault(worker["pid"], []).append(len(list((process / "fd").iterdir())))

    def is_flat(self, *, clients: int) -> None:
        """Nothing grew once all had been reached that bounds allow, a third of the time at most."""
        assert self.resident
        for resident in self.resident.values():
            assert len(resident) >= 9
            assert max(resident) <= MOST_MIB, resident
            third = len(resident) // 3
            assert max(resident[2 * third :]) <= 1.1 * max(resident[: 2 * third]) + 4, resident
        for descriptors in self.descriptors.values():
            third = len(descriptors) // 3
            assert max(descriptors[2 * third :]) <= max(descriptors[: 2 * third]) + 8, descriptors
            assert max(descriptors) < clients + 100


@asynccontextmanager
async def watched(forwarder: Forwarder) -> AsyncIterator[Watch]:
    watch = Watch()

    async def follow() -> None:
        while True:
            await asyncio.to_thread(watch.look, forwarder)
            await asyncio.sleep(0.5)

    following = asyncio.create_task(follow())
    try:
        yield watch
    finally:
        following.cancel()
        # Where it could not look, it says so: what nobody looked at is not flat.
        with suppress(asyncio.CancelledError):
            await following
