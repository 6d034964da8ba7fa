"""aiobotocore, eight requests of 500 in flight, of which what failed is sent again until nothing fails.

`python -m bench.peers.aiobotocore_resend RECORDS KEYS [OVERSIZE]`.
"""

import asyncio
import sys
from itertools import islice
from typing import Any

import uvloop
from aiobotocore.config import AioConfig
from aiobotocore.session import get_session

from bench.losses.records import numbered

MAX, IN_FLIGHT, PAUSE = 500, 8, 0.1


async def deliver(client: Any, records: int, keys: int, oversize: int = -1) -> None:
    source = numbered(keys, records, oversize)

    async def one_after_the_other() -> None:
        while left := [{"PartitionKey": key, "Data": data} for key, data in islice(source, MAX)]:
            while left:
                answer = await client.put_records(StreamName="events", Records=left)
                if not answer["FailedRecordCount"]:
                    break
                verdicts = zip(left, answer["Records"], strict=True)
                left = [entry for entry, verdict in verdicts if "ErrorCode" in verdict]
                await asyncio.sleep(PAUSE)

    await asyncio.gather(*(one_after_the_other() for _ in range(IN_FLIGHT)))


async def main(*arguments: int) -> None:
    async with get_session().create_client("kinesis", config=AioConfig(max_pool_connections=50)) as client:
        await deliver(client, *arguments)


if __name__ == "__main__":
    uvloop.run(main(*map(int, sys.argv[1:])))
