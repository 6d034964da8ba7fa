"""Every path that Segment's SDKs use, with every method."""

import json
from collections.abc import Mapping, Sequence

import pytest

from headgate.delivery.target import Data, Target
from tests.ingest.serving import AUTHORIZATION, request
from tests.ingest.wire import Wire

MEMBERS = {"event": "e", "groupId": "g", "previousId": "p", "name": "n"}
EVENT = {"userId": "u", "messageId": "m", **MEMBERS}
SINGLE = {call: call for call in ("track", "identify", "page", "screen", "group", "alias")}
SINGLE |= {"t": "track", "i": "identify", "p": "page", "s": "screen", "g": "group", "a": "alias"}
BATCH = ("batch", "import", "b")
POST_PATHS = [f"/v1/{name}" for name in (*SINGLE, *BATCH, "m")]
GET_PATHS = ["/healthz", "/v1/projects/wk/settings", "/v1/pixel/track", "/v1/pixel/t"]


def delivered(given: Mapping[Target, Sequence[Data]]) -> list[dict[str, object]]:
    return [json.loads(data.data) for data in next(iter(given.values()))]


@pytest.mark.parametrize("end", ["", "/"])
@pytest.mark.parametrize("name", SINGLE)
def test_a_path_names_the_type_of_its_event(name: str, end: str) -> None:
    wire = Wire().send(request(f"/v1/{name}{end}", json.dumps(EVENT).encode()))
    assert [answer.body for answer in wire.answers] == [{"success": True}]
    [given] = wire.delivery.given
    assert [event["type"] for event in delivered(given)] == [SINGLE[name]]


@pytest.mark.parametrize("end", ["", "/"])
@pytest.mark.parametrize("name", BATCH)
def test_the_events_of_a_batch_name_their_own(name: str, end: str) -> None:
    batch = [EVENT | {"type": call} for call in ("track", "identify", "page", "screen", "group", "alias")]
    wire = Wire().send(request(f"/v1/{name}{end}", json.dumps({"batch": batch}).encode()))
    assert [answer.body for answer in wire.answers] == [{"success": True}]
    [given] = wire.delivery.given
    assert [event["type"] for event in delivered(given)] == [event["type"] for event in batch]


@pytest.mark.parametrize("body", [b"", b'{"series":[]}', b"no JSON", b"\xff"])
def test_what_sdks_report_of_themselves_is_accepted_and_dropped(body: bytes) -> None:
    wire = Wire().send(request("/v1/m", body, auth=False, keep=True), request("/v1/m/", body, auth=False))
    assert [(answer.status, answer.body) for answer in wire.answers] == [(200, {"success": True})] * 2
    assert wire.delivery.given == []


@pytest.mark.parametrize("end", ["", "/"])
@pytest.mark.parametrize("path", POST_PATHS)
def test_a_path_for_events_takes_post(path: str, end: str) -> None:
    for method in ("GET", "HEAD", "PUT", "PATCH", "DELETE", "TRACE", "PROPFIND"):
        wire = Wire().send(request(path + end, b"", method=method))
        assert b"405 Method Not Allowed" in wire.transport.written
        assert b"\r\nAllow: POST, OPTIONS\r\n" in wire.transport.written


@pytest.mark.parametrize("path", ["/healthz", "/v1/projects/wk/settings"])
def test_a_path_to_read_takes_get_and_head(path: str) -> None:
    for method in ("GET", "HEAD"):
        assert b" 200 OK\r\n" in Wire().send(request(path, method=method, auth=False)).transport.written
    for method in ("POST", "PUT", "PATCH", "DELETE"):
        [answer] = Wire().send(request(path, method=method, auth=False)).answers
        assert (answer.status, answer.headers["Allow"]) == (405, "GET, HEAD, OPTIONS")


@pytest.mark.parametrize("path", [*POST_PATHS, *GET_PATHS, "/nothing", "*"])
def test_every_path_takes_options(path: str) -> None:
    [answer] = Wire().send(request(path, method="OPTIONS", auth=False)).answers
    assert answer.status == 200
    [answer] = Wire().send(request(path, b"", "Origin: https://a.example", method="OPTIONS")).answers
    assert answer.headers["Access-Control-Allow-Methods"] == "GET, HEAD, POST, OPTIONS"


@pytest.mark.parametrize(
    "path",
    ["/", "/v1", "/v1/", "/v2/track", "/v1/track/x", "//v1/track", "/v1/Track", "/v1/projects/wk", "*"],
)
def test_any_other_path_is_404(path: str) -> None:
    [answer] = Wire().send(request(path, b"{}")).answers
    assert (answer.status, answer.body["code"]) == (404, "not_found")


def test_a_defect_is_an_outage_to_the_client_and_never_a_500(caplog: pytest.LogCaptureFixture) -> None:
    wire = Wire()
    wire.api.delivery = None  # type: ignore[assignment]
    [answer] = wire.send(request("/v1/track", json.dumps(EVENT).encode())).answers
    assert (answer.status, answer.body["code"], answer.headers["Retry-After"]) == (503, "internal", "5")
    assert AUTHORIZATION.split()[-1] not in caplog.text
