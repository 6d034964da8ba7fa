"""A collector as it is usually written in Python: FastAPI, aiobotocore, and a task that makes batches.

`uvicorn bench.peers.fastapi_batcher:app`. It answers after Kinesis has taken the events, and sends again what
failed. It validates nothing, keeps no order and bounds no memory.
"""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from aiobotocore.session import get_session
from fastapi import FastAPI, Request

MAX, IN_FLIGHT = 500, 8
LINGER = 0.005


class Batcher:
    """Puts events into requests of up to 500 and sends eight of them at a time."""

    def __init__(self, client: Any) -> None:
        self._client = client
        self._queue: asyncio.Queue[tuple[dict[str, Any], asyncio.Future[None]]] = asyncio.Queue()

    async def put(self, events: list[dict[str, Any]]) -> None:
        """Return when all events are in Kinesis."""
        loop = asyncio.get_running_loop()
        waiting = []
        for event in events:
            key = event.get("userId") or event["anonymousId"]
            entry = {"Data": json.dumps(event).encode(), "PartitionKey": key}
            done: asyncio.Future[None] = loop.create_future()
            self._queue.put_nowait((entry, done))
            waiting.append(done)
        await asyncio.gather(*waiting)

    async def send(self) -> None:
        """Send batches for ever."""
        while True:
            batch = [await self._queue.get()]
            await asyncio.sleep(LINGER)
            while len(batch) < MAX and not self._queue.empty():
                batch.append(self._queue.get_nowait())
            while batch:
                entries = [entry for entry, _ in batch]
                answer = await self._client.put_records(StreamName="events", Records=entries)
                failed = []
                for item, verdict in zip(batch, answer["Records"], strict=True):
                    if "ErrorCode" in verdict:
                        failed.append(item)
                    else:
                        item[1].set_result(None)
                batch = failed


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[None]:
    async with get_session().create_client("kinesis") as client:
        app.state.batcher = batcher = Batcher(client)
        senders = [asyncio.create_task(batcher.send()) for _ in range(IN_FLIGHT)]
        yield
        for sender in senders:
            sender.cancel()


app = FastAPI(lifespan=lifespan)


@app.post("/v1/track")
async def track(request: Request) -> dict[str, bool]:
    await request.app.state.batcher.put([await request.json()])
    return {"success": True}


@app.post("/v1/batch")
async def batch(request: Request) -> dict[str, bool]:
    await request.app.state.batcher.put((await request.json())["batch"])
    return {"success": True}
