"""Pages: which may send, and what lets them read the answer."""

import json

import pytest

from headgate.ingest.cors import Origins
from headgate.settings.schema import Destination, Source
from tests.ingest.serving import SOURCE, TRACK, Answer, request
from tests.ingest.wire import Wire

EVENT = json.dumps(TRACK).encode()
WWW = "https://www.example.com"
CORS = {
    "Access-Control-Allow-Origin",
    "Access-Control-Allow-Credentials",
    "Access-Control-Expose-Headers",
    "Vary",
}


def source(name: str, *origins: str, enabled: bool = True) -> Source:
    to = (Destination(stream_name="s"),)
    return Source(
        id=name, write_keys=(f"wk_{name}",), allowed_origins=origins, destinations=to, enabled=enabled
    )


def wire() -> Wire:
    wire = Wire()
    sources = [source("one", WWW), source("any", "*"), source("none"), source("mixed", "*", WWW)]
    wire.api.take({each.write_keys[0]: each for each in sources})
    return wire


def post(key: str, origin: str | None, body: dict[str, object] | bytes = EVENT) -> Answer:
    text = body if isinstance(body, bytes) else json.dumps(body).encode()
    text = text.replace(b"{", b'{"writeKey":"wk_%b",' % key.encode(), 1)
    headers = [f"Origin: {origin}"] if origin is not None else []
    [answer] = wire().send(request("/v1/track", text, *headers, auth=False)).answers
    return answer


def named(origin: str) -> dict[str, str]:
    return {
        "Access-Control-Allow-Origin": origin,
        "Access-Control-Allow-Credentials": "true",
        "Access-Control-Expose-Headers": "Retry-After",
        "Vary": "Origin",
    }


ANYBODY = {
    "Access-Control-Allow-Origin": "*",
    "Access-Control-Expose-Headers": "Retry-After",
    "Vary": "Origin",
}


def cors(answer: Answer) -> dict[str, str]:
    return {name: value for name, value in answer.headers.items() if name in CORS}


@pytest.mark.parametrize(
    ("allowed", "origin", "lines"),
    [
        (["*"], WWW, ANYBODY),
        (["*"], "null", ANYBODY),
        (["*"], "file://", ANYBODY),
        (["*"], 'x"\xff', ANYBODY),
        ([WWW], WWW, named(WWW)),
        (["*", WWW], WWW, named(WWW)),
        (["*", WWW], "https://other.example", ANYBODY),
        ([WWW], "https://example.com", {}),
        ([WWW], "http://www.example.com", {}),
        ([WWW], WWW + ":8443", {}),
        ([WWW], WWW + ".evil.example", {}),
        ([WWW], "https://wwwxexample.com", {}),
        ([WWW], "null", {}),
        ([WWW], "", {}),
        (["null"], "null", named("null")),
        (["https://*.example.com"], "https://a.example.com", named("https://a.example.com")),
        (["https://*.example.com"], "https://a.b.example.com", named("https://a.b.example.com")),
        (["https://*.example.com"], "https://example.com", {}),
        (["https://*.example.com"], "https://evilexample.com", {}),
        (["https://*.example.com"], "https://evil.example/.example.com", {}),
        (["https://*.example.com"], "https://evil.example:1.example.com", {}),
        (["https://*.example.com"], "https://user@.example.com", {}),
        (["https://*.example.com"], "http://a.example.com", {}),
        (["https://*.example.com:8443"], "https://a.example.com:8443", named("https://a.example.com:8443")),
        (["https://*.example.com:8443"], "https://a.example.com", {}),
        (["capacitor://localhost"], "capacitor://localhost", named("capacitor://localhost")),
        ([], WWW, {}),
    ],
)
def test_an_origin_is_allowed_by_name_by_subdomain_or_with_all_others(
    allowed: list[str], origin: str, lines: dict[str, str]
) -> None:
    text = Origins(allowed).lines(origin.encode("latin-1")).decode("latin-1")
    assert dict(line.split(": ", 1) for line in text.split("\r\n") if line) == lines


def test_what_is_remembered_of_origins_is_bounded() -> None:
    origins = Origins(["*"])
    for number in range(3_000):
        assert origins.lines(b"https://%d.example" % number)
    assert len(origins._lines) <= 1_024


@pytest.mark.parametrize(
    ("key", "origin", "status", "lines"),
    [
        ("one", None, 200, {}),
        ("none", None, 200, {}),
        ("one", WWW, 200, named(WWW)),
        ("any", WWW, 200, ANYBODY),
        ("mixed", WWW, 200, named(WWW)),
        ("mixed", "https://other.example", 200, ANYBODY),
        ("one", "https://other.example", 403, {}),
        ("none", WWW, 403, {}),
    ],
)
def test_a_page_sends_where_its_source_allows_it(
    key: str, origin: str | None, status: int, lines: dict[str, str]
) -> None:
    answer = post(key, origin)
    assert (answer.status, cors(answer)) == (status, lines)
    if status == 403:
        assert (answer.body["success"], answer.body["code"]) == (False, "foreign_origin")


def test_the_source_of_another_page_decides_nothing() -> None:
    sent = wire()
    sent.send(
        request(
            "/v1/track",
            EVENT.replace(b"{", b'{"writeKey":"wk_one",', 1),
            "Origin: https://o.example",
            auth=False,
        )
    )
    assert sent.delivery.given == []


@pytest.mark.parametrize(
    ("body", "headers", "status"),
    [
        (b"{", (), 400),
        (b'{"writeKey":"wk_of_nobody"}', (), 401),
        (b'{"writeKey":"wk_any"}', (), 400),
        (b" " * 600_000, (), 413),
        (b"", ("Transfer-Encoding: chunked",), 400),
        (b"", ("A: " + "b" * 40_000,), 431),
    ],
)
def test_a_page_can_read_what_went_wrong(body: bytes, headers: tuple[str, ...], status: int) -> None:
    sent = wire().send(request("/v1/track", body, f"Origin: {WWW}", *headers, auth=False))
    [answer] = sent.answers
    assert answer.status == status
    assert answer.headers["Access-Control-Allow-Origin"] in ("*", WWW)
    assert answer.headers["Access-Control-Expose-Headers"] == "Retry-After"


def preflight(origin: str, *headers: str, key: str = "") -> Answer:
    sent = wire()
    if key:
        sent.api.take({f"wk_{key}": source(key, WWW)})
    asks = request(
        "/v1/t",
        b"",
        f"Origin: {origin}",
        "Access-Control-Request-Method: POST",
        *headers,
        method="OPTIONS",
        auth=False,
    )
    [answer] = sent.send(asks).answers
    return answer


def test_a_preflight_allows_what_any_source_allows_since_it_has_no_key() -> None:
    assert cors(preflight(WWW)) == named(WWW)
    assert cors(preflight("https://other.example")) == ANYBODY
    answer = preflight("https://other.example", key="one")
    assert (answer.status, cors(answer)) == (403, {})


@pytest.mark.parametrize(
    ("asked", "allowed"),
    [
        (None, []),
        ("authorization,content-type", []),
        ("Authorization, X-Mine,x-other", ["x-mine", "x-other"]),
        ("x-mine, not a token, (x), x-\u00e4, " + "x" * 65, ["x-mine"]),
        (", ,", []),
        (",".join(f"x-{n}" for n in range(400)), [f"x-{n}" for n in range(50)]),
    ],
)
def test_a_preflight_allows_the_headers_that_it_asks_for_as_long_as_they_are_some(
    asked: str | None, allowed: list[str]
) -> None:
    answer = preflight(WWW, *([f"Access-Control-Request-Headers: {asked}"] if asked is not None else []))
    names = answer.headers["Access-Control-Allow-Headers"].split(", ")
    assert names == ["authorization", "content-type", "x-retry-count", *allowed]
    assert answer.headers["Access-Control-Allow-Methods"] == "GET, HEAD, POST, OPTIONS"
    assert answer.headers["Access-Control-Max-Age"] == "86400"


def test_the_default_is_any_page() -> None:
    assert SOURCE.allowed_origins == ("*",)
