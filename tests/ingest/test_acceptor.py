"""As many connections as are bounded; the others wait."""

import asyncio

from headgate.ingest.limits import HttpLimits
from tests.ingest.serving import parse, request, serving


async def test_at_the_bound_others_wait_in_the_backlog_until_one_has_ended() -> None:
    health = request("/healthz", method="GET")
    async with serving(limits=HttpLimits(connections=2)) as client:
        held = [await asyncio.open_connection("127.0.0.1", client.port) for _ in range(2)]
        await client.until(lambda: len(client.connections) == 2)
        waiting = [asyncio.create_task(client.raw(health)) for _ in range(3)]
        reader, writer = held[0]
        writer.write(request("/healthz", method="GET", keep=True))
        assert (await reader.readuntil(b"}")).startswith(b"HTTP/1.1 200")
        assert not any(each.done() for each in waiting)
        assert len(client.connections) == 2

        writer.close()
        answers = await asyncio.gather(*waiting)
        assert [parse(answer).status for answer in answers] == [200, 200, 200]
        held[1][1].close()


async def test_many_connections_at_once_are_all_served() -> None:
    async with serving() as client:
        answers = await asyncio.gather(*(client.raw(request("/healthz", method="GET")) for _ in range(100)))
        assert {parse(answer).status for answer in answers} == {200}
        await client.until(lambda: len(client.connections) == 0)
