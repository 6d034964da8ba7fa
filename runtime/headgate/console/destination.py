"""The page *Destinations*."""

from collections.abc import Sequence

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from headgate.console.pages import page


async def show(request: Request) -> Response:
    """Return the page."""
    return page(request, "destination.html")


routes: Sequence[Route] = (Route("/destinations", show),)
