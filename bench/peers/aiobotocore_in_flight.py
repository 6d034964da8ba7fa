"""aiobotocore, eight requests of 500 in flight: `python -m bench.peers.aiobotocore_in_flight RECORDS`."""

import asyncio
import sys
from collections.abc import Iterator
from typing import Any

import uvloop
from aiobotocore.config import AioConfig
from aiobotocore.session import get_session

from bench.delivery.records import entries

MAX, IN_FLIGHT = 500, 8


async def deliver(client: Any, prepared: list[list[dict[str, Any]]], count: int) -> None:
    numbers = iter(range(count // MAX))

    async def one_after_the_other(numbers: Iterator[int]) -> None:
        for number in numbers:
            answer = await client.put_records(StreamName="events", Records=prepared[number % len(prepared)])
            assert not answer["FailedRecordCount"]

    await asyncio.gather(*(one_after_the_other(numbers) for _ in range(IN_FLIGHT)))


async def main(count: int) -> None:
    prepared = entries(MAX)
    async with get_session().create_client("kinesis", config=AioConfig(max_pool_connections=50)) as client:
        await deliver(client, prepared, 20 * MAX)
        print("ready", flush=True)
        while await asyncio.to_thread(sys.stdin.readline):
            await deliver(client, prepared, count)
            print("done", flush=True)


if __name__ == "__main__":
    uvloop.run(main(int(sys.argv[1])))
