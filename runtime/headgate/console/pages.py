"""Pages and parts of pages, made of templates. Every value is escaped: events are hostile input."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import parse_qsl

import jinja2
from starlette.requests import Request
from starlette.responses import HTMLResponse

import headgate
from headgate.errors import AwsError, HeadgateError, UsageError

HERE = Path(__file__).parent
STATIC, VENDOR = HERE / "static", HERE / "vendor"


class Entry(NamedTuple):
    """One page in the navigation."""

    path: str
    title: str


NAVIGATION: Sequence[Entry] = (
    Entry("/", "Overview"),
    Entry("/destinations", "Destinations"),
    Entry("/live", "Live events"),
    Entry("/tester", "Event tester"),
    Entry("/letters", "Dead letters"),
)

_environment = jinja2.Environment(
    loader=jinja2.FileSystemLoader(HERE / "templates"),
    autoescape=True,
    undefined=jinja2.StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)


def rendered(template: str, **values: Any) -> str:
    """Return a part of a page."""
    return _environment.get_template(template).render(values)


def page(request: Request, template: str, *, status: int = 200, **values: Any) -> HTMLResponse:
    """Return an answer: a whole page, which extends `base.html`, or a part of one.

    Args:
        request: what is answered.
        template: its file in `templates/`.
        status: the status code.
        values: what the template needs.
    """
    return HTMLResponse(rendered(template, **_common(request), **values), status)


async def fields_of(request: Request) -> dict[str, str]:
    """Return the fields of the form that a request brings; of two with one name the last.

    Raises:
        UsageError: it brings none, or one that is no text.
    """
    try:
        pairs = parse_qsl(
            (await request.body()).decode("ascii"), keep_blank_values=True, encoding="utf-8", errors="strict"
        )
    except ValueError:
        raise UsageError("the request holds no form, or one whose fields are no UTF-8 text") from None
    return dict(pairs)


def fault_page(request: Request, fault: Exception) -> HTMLResponse:
    """Return what is shown where a page cannot be: the fault's one line."""
    assert isinstance(fault, HeadgateError)  # noqa: S101  # it is registered for those alone
    status = 502 if isinstance(fault, AwsError) else 400 if isinstance(fault, UsageError) else 500
    # htmx puts an answer where the page has asked for it, so a part is all that fits there.
    template = "fault.html" if "hx-request" in request.headers else "fault_page.html"
    return page(request, template, status=status, fault=str(fault))


def no_such_page(request: Request, _: Exception) -> HTMLResponse:
    """Return what is shown under a path that no page has."""
    return page(request, "no_such_page.html", status=404)


def _common(request: Request) -> Mapping[str, Any]:
    return {
        "navigation": NAVIGATION,
        "path": request.url.path,
        "csrf": request.state.session.csrf,
        "version": headgate.__version__,
        "opened_on": request.app.state.desk.sources.name,
    }
