"""What an SDK is told when it starts."""

import pytest

from headgate.ingest.projects import public_api
from headgate.settings.schema import Destination, Source
from tests.ingest.serving import request
from tests.ingest.wire import Wire

SDK = {"plan": {}, "metrics": {"sampleRate": 0}}


@pytest.mark.parametrize(
    ("url", "api"),
    [
        (None, {}),
        ("https://events.example.com", {"apiHost": "events.example.com/v1"}),
        ("https://events.example.com/", {"apiHost": "events.example.com/v1"}),
        ("https://example.com:8443/events/", {"apiHost": "example.com:8443/events/v1"}),
        ("http://127.0.0.1:8080", {"apiHost": "127.0.0.1:8080/v1", "protocol": "http"}),
    ],
)
@pytest.mark.parametrize("end", ["", "/"])
def test_an_sdk_is_told_to_send_here_and_nothing_else(url: str | None, api: dict[str, str], end: str) -> None:
    wire = Wire(public_api=public_api(url) if url else {})
    [answer] = wire.send(request(f"/v1/projects/wk/settings{end}", method="GET", auth=False)).answers
    assert answer.status == 200
    assert answer.body == {"integrations": {"Segment.io": {"apiKey": "wk", **api}}, **SDK}
    assert answer.headers["Cache-Control"] == "max-age=60"
    assert answer.headers["Vary"] == "Origin"


@pytest.mark.parametrize(
    "url",
    [
        "",
        "events.example.com",
        "ftp://x",
        "https://",
        "https://x:y",
        "https://x?a",
        "https://x#a",
        "https://u@x",
    ],
)
def test_a_url_that_is_none_is_named(url: str) -> None:
    with pytest.raises(ValueError, match="allowed: a URL such as"):
        public_api(url)


def test_the_host_header_decides_nothing() -> None:
    wire = Wire()
    wire.send(request("/v1/projects/wk/settings", method="GET").replace(b"Host: h", b"Host: evil.example"))
    assert b"evil" not in wire.transport.written


def test_an_unknown_key_has_no_settings_and_a_foreign_page_does_not_get_them() -> None:
    wire = Wire()
    to = (Destination(stream_name="s"),)
    www = "https://www.example.com"
    wire.api.take({"wk ü": Source(id="s", write_keys=("wk ü",), allowed_origins=(www,), destinations=to)})
    path = "/v1/projects/wk%20%C3%BC/settings"
    wire.send(
        request("/v1/projects/other/settings", method="GET", keep=True),
        request(path, b"", "Origin: https://other.example", method="GET", keep=True),
        request(path, b"", f"Origin: {www}", method="GET"),
    )
    assert [answer.status for answer in wire.answers] == [404, 403, 200]
    assert wire.answers[2].headers["Access-Control-Allow-Origin"] == www
    assert wire.answers[2].body["integrations"]["Segment.io"]["apiKey"] == "wk ü"
