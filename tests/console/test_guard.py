"""What stands before every page lets nobody in but the console's own pages."""

from collections.abc import AsyncIterator
from io import BytesIO
from pathlib import Path

import aiohttp
import pytest

from headgate.console.guard import MOST_BODY_BYTES
from tests.console.visitor import Visitor, visiting

PATHS = ["/", "/destinations", "/live", "/tester", "/letters", "/static/console.css", "/vendor/htmx.min.js"]


@pytest.fixture
async def visitor(tmp_path: Path) -> AsyncIterator[Visitor]:
    async with visiting(tmp_path) as opened:
        yield opened


@pytest.mark.parametrize("path", PATHS)
async def test_whoever_followed_no_link_sees_nothing(visitor: Visitor, path: str) -> None:
    async with aiohttp.ClientSession() as stranger, stranger.get(visitor.url + path) as answer:
        assert answer.status == 401
        assert "Headgate" not in await answer.text()


@pytest.mark.parametrize("path", PATHS)
async def test_whoever_did_is_shown_it_under_a_strict_policy(visitor: Visitor, path: str) -> None:
    answer = await visitor.get(path)
    assert answer.status == 200
    policy = answer.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "script-src 'self';" in policy
    assert "unsafe" not in policy
    assert answer.headers["X-Frame-Options"] == "DENY"
    assert "no-store" in answer.headers["Cache-Control"] or path.startswith(("/static", "/vendor"))


async def test_a_link_lets_in_once(visitor: Visitor) -> None:
    link = f"{visitor.url}/enter?once={visitor.door.link()}"
    for expected in (303, 403):
        async with aiohttp.ClientSession() as http, http.get(link, allow_redirects=False) as answer:
            assert answer.status == expected
            assert ("Set-Cookie" in answer.headers) is (expected == 303)


async def test_the_cookie_is_kept_from_scripts_and_other_sites(visitor: Visitor) -> None:
    link = f"{visitor.url}/enter?once={visitor.door.link()}"
    async with aiohttp.ClientSession() as http, http.get(link, allow_redirects=False) as answer:
        cookie = answer.headers["Set-Cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=strict" in cookie


@pytest.mark.parametrize("host", ["evil.example", "evil.example:80", "127.0.0.1", "127.0.0.1:1", ""])
async def test_another_host_name_gets_nothing(visitor: Visitor, host: str) -> None:
    answer = await visitor.get("/", Host=host)
    assert answer.status in (400, 421)  # an HTTP server refuses an empty one
    assert "Overview" not in answer.text


@pytest.mark.parametrize("origin", ["https://evil.example", "null", "http://127.0.0.1:1", "http://localhost"])
async def test_another_origin_gets_nothing_even_with_the_cookie_and_the_token(
    visitor: Visitor, origin: str
) -> None:
    assert (await visitor.get("/", Origin=origin)).status == 403
    assert (await visitor.post("/tester/send", Origin=origin)).status == 403


@pytest.mark.parametrize("site", ["cross-site", "same-site"])
async def test_what_a_page_of_another_site_fetches_gets_nothing(visitor: Visitor, site: str) -> None:
    assert (await visitor.get("/", **{"Sec-Fetch-Site": site, "Sec-Fetch-Mode": "no-cors"})).status == 403
    assert (await visitor.post("/x", **{"Sec-Fetch-Site": site, "Sec-Fetch-Mode": "navigate"})).status == 403


async def test_a_change_needs_the_token_of_its_session(visitor: Visitor) -> None:
    for token in ("", "wrong", visitor.csrf + "x"):
        assert (await visitor.post("/nowhere", **{"X-CSRF-Token": token})).status == 403
    assert (await visitor.post("/nowhere")).status == 404


@pytest.mark.parametrize("method", ["PUT", "DELETE", "OPTIONS", "TRACE"])
async def test_other_methods_are_refused(visitor: Visitor, method: str) -> None:
    async with visitor.http.request(method, visitor.url + "/") as answer:
        assert answer.status == 405


async def test_a_body_that_is_too_long_is_refused(visitor: Visitor) -> None:
    body = BytesIO(b"x" * (MOST_BODY_BYTES + 1))
    headers = {"X-CSRF-Token": visitor.csrf}
    async with visitor.http.post(visitor.url + "/nowhere", data=body, headers=headers) as answer:
        assert answer.status == 413


async def test_a_cookie_of_an_ended_session_lets_nobody_in(visitor: Visitor) -> None:
    for _ in range(16):  # each new browser beyond the sixteenth ends the oldest
        visitor.door.enter(visitor.door.link())
    assert (await visitor.get("/")).status == 401


@pytest.mark.parametrize("path", ["/%3Cscript%3Ealert(1)%3C/script%3E", "//evil.example/x"])
async def test_a_path_that_no_page_has_says_so_and_comes_back_in_no_form(visitor: Visitor, path: str) -> None:
    answer = await visitor.get(path)
    assert answer.status == 404
    assert "There is no such page" in answer.text
    assert "alert(1)" not in answer.text
    assert "evil.example" not in answer.text
