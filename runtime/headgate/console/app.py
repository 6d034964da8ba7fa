"""The console as an ASGI app: its pages behind their guard."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import aiohttp
from botocore.session import Session
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.responses import Response
from starlette.routing import Mount
from starlette.staticfiles import StaticFiles

from headgate.console.desk import ConsoleOptions, Desk
from headgate.console.destinations import routes as destinations
from headgate.console.entry import Door
from headgate.console.feed import Feeds
from headgate.console.guard import Guard
from headgate.console.letters import routes as letters
from headgate.console.live import routes as live
from headgate.console.live.views import Views
from headgate.console.overview import routes as overview
from headgate.console.pages import STATIC, VENDOR, fault_page, no_such_page
from headgate.console.sources import Sources
from headgate.console.tester import routes as tester
from headgate.console.tester.sends import Sends
from headgate.errors import HeadgateError


class _Assets(StaticFiles):
    """Files that change with the installation alone, so a browser need not ask for each page anew."""

    def file_response(self, *args: object, **options: object) -> Response:
        """Return the answer."""
        response = super().file_response(*args, **options)  # type: ignore[arg-type]
        response.headers["Cache-Control"] = "private, max-age=60"
        return response


def console(options: ConsoleOptions, session: Session, door: Door, hosts: frozenset[str]) -> Starlette:
    """Return the app.

    Args:
        options: what it is opened on.
        session: with the operator's credentials; IAM decides what the console may do.
        door: who may come in.
        hosts: the values of Host that are its own.

    Raises:
        UsageError: the sources are at no such location.
    """
    sources, feeds = Sources(options.sources, session), Feeds()

    @asynccontextmanager
    async def open_while_it_runs(app: Starlette) -> AsyncIterator[None]:
        async with aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar()) as http:
            desk = Desk(options=options, session=session, sources=sources, feeds=feeds, http=http)
            app.state.desk, app.state.views, app.state.sends = desk, Views(), Sends()
            async with overview.observing(desk) as observer, letters.keeping(desk) as letterbox:
                app.state.observer = observer
                app.state.letterbox = letterbox
                yield
            app.state.sends.close()
        feeds.close()

    return Starlette(
        routes=[
            *overview.routes,
            *destinations.routes,
            *live.routes,
            *tester.routes,
            *letters.routes,
            Mount("/static", _Assets(directory=STATIC), name="static"),
            Mount("/vendor", _Assets(directory=VENDOR), name="vendor"),
        ],
        middleware=[Middleware(Guard, door=door, hosts=hosts)],
        exception_handlers={HeadgateError: fault_page, 404: no_such_page},
        lifespan=open_while_it_runs,
    )
