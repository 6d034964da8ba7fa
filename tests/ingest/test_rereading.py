"""An unknown write key: the store is asked once more before it is turned away."""

import asyncio
import json

from headgate.errors import SettingsError
from headgate.ingest.rereading import MAX_WAITING
from headgate.settings.schema import Destination, Source
from tests.ingest.serving import SOURCE, TRACK, Client, serving

EVENT = json.dumps(TRACK).encode()
NEW = Source(id="new", write_keys=("wk_new",), destinations=(Destination(stream_name="s"),))
FOR_NEW = json.dumps({**TRACK, "writeKey": "wk_new"}).encode()


async def new_source(client: Client) -> None:
    client.api.take({"wk": SOURCE, "wk_new": NEW})


async def test_a_key_that_was_just_added_is_taken() -> None:
    async with serving() as client:

        async def reread() -> None:
            await new_source(client)

        client.api.reread = reread
        assert (await client.ask("/v1/track", FOR_NEW, auth=False)).status == 200
        assert len(client.delivery.given) == 1


async def test_a_key_that_is_still_unknown_is_401_and_one_that_is_missing_asks_nobody() -> None:
    asked = []

    async def reread() -> None:
        asked.append(1)

    async with serving(reread=reread) as client:
        assert (await client.ask("/v1/track", FOR_NEW, auth=False)).status == 401
        assert (await client.ask("/v1/projects/wk_new/settings", method="GET")).status == 404
        assert asked == [1, 1]
        assert (await client.ask("/v1/track", EVENT, auth=False)).status == 401
        assert (await client.ask("/v1/track", EVENT)).status == 200
        assert asked == [1, 1]


async def test_while_the_store_cannot_be_read_a_client_keeps_its_events() -> None:
    async def reread() -> None:
        raise SettingsError("the store is away")

    async with serving(reread=reread) as client:
        answer = await client.ask("/v1/track", FOR_NEW, auth=False)
        assert (answer.status, answer.body["code"], answer.headers["Retry-After"]) == (
            503,
            "settings_unread",
            "5",
        )
        assert (await client.ask("/v1/projects/wk_new/settings", method="GET")).status == 503
        assert (await client.ask("/v1/track", EVENT)).status == 200


async def test_a_pixel_of_a_new_key_gets_its_image_at_once_and_its_event_is_taken() -> None:
    release = asyncio.Event()
    async with serving() as client:

        async def reread() -> None:
            await release.wait()
            await new_source(client)

        client.api.reread = reread
        answer = await client.ask(
            "/v1/pixel/track?writeKey=wk_new&userId=u&event=e", method="GET", auth=False
        )
        assert (answer.status, client.delivery.given) == (200, [])
        release.set()
        await client.until(lambda: client.delivery.given)


async def test_as_many_as_are_bounded_wait_and_the_others_are_to_come_again() -> None:
    release = asyncio.Event()

    async def reread() -> None:
        await release.wait()

    async with serving(reread=reread) as client:
        asking = [
            asyncio.create_task(client.ask("/v1/track", FOR_NEW, auth=False)) for _ in range(MAX_WAITING + 3)
        ]
        await client.until(lambda: sum(each.done() for each in asking) == 3)
        assert {each.result().status for each in asking if each.done()} == {503}
        release.set()
        assert (
            sorted(answer.status for answer in await asyncio.gather(*asking))
            == [401] * MAX_WAITING + [503] * 3
        )


async def test_before_settings_were_ever_read_all_is_503_and_a_browsers_page_may_know_it() -> None:
    readable = False

    async def reread() -> None:
        if not readable:
            raise SettingsError("the store is away")
        await new_source(client)

    page = "Origin: https://www.example.com"
    async with serving(reread=reread, ready=False) as client:
        client.api.take({})
        health = await client.ask("/healthz", method="GET")
        assert (health.status, health.body["code"], health.headers["Retry-After"]) == (
            503,
            "settings_unread",
            "5",
        )
        assert (await client.ask("/v1/track", b"", page, method="OPTIONS", auth=False)).status == 200
        answer = await client.ask("/v1/track", FOR_NEW, page, auth=False)
        assert (answer.status, answer.body["code"]) == (503, "settings_unread")
        assert answer.headers["Access-Control-Allow-Origin"] == "*"
        assert client.delivery.given == []

        readable = True
        assert (await client.ask("/v1/track", FOR_NEW, page, auth=False)).status == 200
        assert (await client.ask("/healthz", method="GET")).status == 503
        client.api.ready = True
        assert (await client.ask("/healthz", method="GET")).status == 200
        client.api.draining = True
        assert (await client.ask("/healthz", method="GET")).body["code"] == "draining"
