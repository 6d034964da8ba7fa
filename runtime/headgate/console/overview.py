"""The page *Overview*."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from headgate.console.desk import Desk
from headgate.console.pages import page


@asynccontextmanager
async def observing(desk: Desk) -> AsyncIterator[object]:
    """Look at the forwarder for as long as the block lasts."""
    yield desk


async def show(request: Request) -> Response:
    """Return the page."""
    return page(request, "overview.html")


routes: Sequence[Route] = (Route("/", show),)
