"""What stands before every page: host, origin, session and CSRF token, and the headers of each answer.

A browser sends requests for any page that its user has open. So that nobody but this console's own pages gets
anything: its host name has to be loopback's (a name that was rebound to it is refused), a request of another
origin is refused, and without the cookie of a session there is nothing to see.
"""

from collections.abc import Mapping
from http.cookies import SimpleCookie
from urllib.parse import parse_qs

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from headgate.console.entry import Door, Session, brings

ENTER = "/enter"
SECRET = "once"  # noqa: S105  # the name of a parameter
CSRF_HEADER = "x-csrf-token"
MOST_BODY_BYTES = 1024 * 1024
"""Of a request; the largest that a page sends is a batch for the event tester, of some 500 KB."""

_SAFE = ("GET", "HEAD")
_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "
    "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
}
_NO_SESSION = "The link that `headgate console` prints lets one browser in, once; follow it first.\n"


class Guard:
    """Middleware that lets through only what one of the console's own pages asks.

    Args:
        app: what is guarded. It finds the session in `request.state.session`.
        door: who may come in.
        hosts: the values of Host that are this console's, such as `127.0.0.1:8090`.
    """

    def __init__(self, app: ASGIApp, door: Door, hosts: frozenset[str]) -> None:
        self._app = app
        self._door = door
        self._hosts = hosts
        # Cookies know no ports: two consoles of one machine must not take each other's.
        self._cookie = "headgate_console_" + min(hosts).rpartition(":")[2]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, or have it answered."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        asked = Headers(scope=scope)
        refusal = self._refusal(scope["method"], asked)
        session = None if refusal else self._door.session(_cookies(asked).get(self._cookie))

        async def send_guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in _HEADERS.items():
                    headers.setdefault(name, value)
            await send(message)

        answer: ASGIApp
        if refusal is not None:
            answer = refusal
        elif scope["path"] == ENTER and scope["method"] == "GET":
            answer = self._enter(scope)
        elif session is None:
            answer = PlainTextResponse(_NO_SESSION, 401)
        elif scope["method"] not in _SAFE and not brings(session, asked.get(CSRF_HEADER)):
            answer = PlainTextResponse("The page is of another session; load it anew.\n", 403)
        else:
            scope.setdefault("state", {})["session"] = session
            answer = self._app
        await answer(scope, _bounded(receive), send_guarded)

    def _refusal(self, method: str, headers: Headers) -> Response | None:
        """Return why a request is none of the console's own, if it is not."""
        host, origin = headers.get("host", ""), headers.get("origin")
        if host not in self._hosts:
            return PlainTextResponse("This is not the host name of the console.\n", 421)
        from_elsewhere = headers.get("sec-fetch-site", "none") in ("cross-site", "same-site")
        navigates = method == "GET" and headers.get("sec-fetch-mode") == "navigate"
        # Whoever navigates here from another site brings no cookie (SameSite), so that shows nothing.
        if (origin is not None and origin != f"http://{host}") or (from_elsewhere and not navigates):
            return PlainTextResponse("The console answers its own pages alone.\n", 403)
        if method not in (*_SAFE, "POST"):
            return PlainTextResponse("Allowed: GET, HEAD, POST.\n", 405, headers={"Allow": "GET, HEAD, POST"})
        if int(headers.get("content-length") or 0) > MOST_BODY_BYTES:
            return PlainTextResponse(f"At most {MOST_BODY_BYTES:,} bytes are taken.\n", 413)
        return None

    def _enter(self, scope: Scope) -> Response:
        given = parse_qs(scope["query_string"].decode("latin-1")).get(SECRET, [""])[0]
        session: Session | None = self._door.enter(given)
        if session is None:
            return PlainTextResponse(
                "This link was used, or is older than ten minutes; `headgate console` prints another.\n", 403
            )
        answer = RedirectResponse("/", 303)
        answer.set_cookie(self._cookie, session.token, path="/", httponly=True, samesite="strict")
        return answer


def _bounded(receive: Receive) -> Receive:
    """Return `receive` that ends a body which is longer than allowed, whatever its length was said to be."""
    taken = 0

    async def bounded() -> Message:
        nonlocal taken
        message = await receive()
        taken += len(message.get("body", b""))
        return message if taken <= MOST_BODY_BYTES else {"type": "http.disconnect"}

    return bounded


def _cookies(headers: Headers) -> Mapping[str, str]:
    cookies = SimpleCookie()
    for line in headers.getlist("cookie"):
        cookies.load(line)
    return {name: morsel.value for name, morsel in cookies.items()}
