"""Somebody who looks at the console: the app on a loopback port, and a client that followed its link."""

import asyncio
import re
import socket
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import aiohttp
import botocore.session
import uvicorn
from starlette.applications import Starlette

from headgate.console.app import console
from headgate.console.desk import ConsoleOptions
from headgate.console.entry import Door

SOURCES = """\
[[sources]]
id = "web"
name = "Website"
write_keys = ["wk_web"]

[[sources.destinations]]
region = "us-west-2"
stream_name = "events"
"""
_TOKEN = re.compile(r'"X-CSRF-Token": "([^"]+)"')


@dataclass(frozen=True)
class Answer:
    """What came back."""

    status: int
    headers: Mapping[str, str]
    text: str


@dataclass
class Visitor:
    """A browser of few words: it keeps its cookie, and sends the CSRF token of the page that it saw last."""

    app: Starlette
    door: Door
    url: str
    http: aiohttp.ClientSession
    csrf: str = ""

    async def enter(self) -> None:
        """Follow a link."""
        answer = await self.get(f"/enter?once={self.door.link()}")
        assert answer.status == 200, answer.text

    async def get(self, path: str, **headers: str) -> Answer:
        """Ask for a page, or for a part of one."""
        async with self.http.get(self.url + path, headers=headers) as response:
            answer = Answer(response.status, response.headers, await response.text())
        if found := _TOKEN.search(answer.text):
            self.csrf = found[1]
        return answer

    async def post(self, path: str, fields: Mapping[str, str] | None = None, **headers: str) -> Answer:
        """Send a form as htmx does."""
        headers = {"X-CSRF-Token": self.csrf, "HX-Request": "true", "Origin": self.url} | headers
        async with self.http.post(self.url + path, data=fields or {}, headers=headers) as response:
            return Answer(response.status, response.headers, await response.text())

    async def events(self, path: str, count: int, within: float = 15) -> list[tuple[str, str]]:
        """Return the first server-sent events of a path: name and data."""
        found: list[tuple[str, str]] = []
        async with asyncio.timeout(within), self.http.get(self.url + path) as response:
            assert response.status == 200, await response.text()
            name, lines = "", list[str]()
            async for raw in response.content:
                field, _, value = raw.decode().rstrip("\n").partition(": ")
                if field == "event":
                    name = value
                elif field == "data":
                    lines.append(value)
                elif not field and lines:
                    found.append((name, "\n".join(lines)))
                    name, lines = "", []
                    if len(found) == count:
                        break
        return found


@asynccontextmanager
async def visiting(
    directory: Path, *, sources: str | None = None, **options: object
) -> AsyncIterator[Visitor]:
    """Open a console, and follow its link.

    Args:
        directory: an empty one.
        sources: where its sources are; None for a file with `SOURCES`.
        options: more of `ConsoleOptions`.
    """
    if sources is None:
        path = directory / "sources.toml"
        path.write_text(SOURCES)
        sources = str(path)
    given = {"forwarder": "http://127.0.0.1:9", "status": "http://127.0.0.1:9/statusz"} | options
    # asyncio turns Nagle's algorithm off only where a socket says that it is TCP's: else answers take 40 ms.
    listening = socket.socket(proto=socket.IPPROTO_TCP)
    listening.bind(("127.0.0.1", 0))
    host = "{}:{}".format(*listening.getsockname())
    door = Door(time.monotonic)
    app = console(
        ConsoleOptions(sources=sources, **given),  # type: ignore[arg-type]
        botocore.session.get_session(),
        door,
        frozenset({host}),
    )
    config = uvicorn.Config(app, lifespan="on", log_level="critical", timeout_graceful_shutdown=1)
    server = uvicorn.Server(config)
    config.load()
    server.lifespan = config.lifespan_class(config)
    await server.startup([listening])
    main = asyncio.create_task(server.main_loop())
    jar = aiohttp.CookieJar(unsafe=True)
    try:
        async with aiohttp.ClientSession(cookie_jar=jar) as http:
            visitor = Visitor(app, door, f"http://{host}", http)
            await visitor.enter()
            yield visitor
    finally:
        server.should_exit = True
        main.cancel()
        await asyncio.wait([main])
        await server.shutdown([listening])
