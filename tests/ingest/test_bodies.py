"""JSON, however it comes; and what is none."""

import gzip
import json

import pytest

from headgate.ingest.limits import HttpLimits
from headgate.spec.prepare import Limits
from tests.ingest.serving import TRACK, request
from tests.ingest.wire import Wire

EVENT = json.dumps(TRACK).encode()
BATCH = json.dumps({"batch": [{**TRACK, "type": "track"}] * 3}).encode()


@pytest.mark.parametrize(
    "content_type",
    [
        None,
        "application/json",
        "application/json; charset=utf-8",
        "text/plain",
        "text/plain;charset=UTF-8",
        "x",
        "",
    ],
)
@pytest.mark.parametrize("encoding", [None, "gzip", "x-gzip", "identity"])
@pytest.mark.parametrize("chunked", [False, True])
def test_a_body_is_json_whatever_is_said_of_it(
    content_type: str | None, encoding: str | None, chunked: bool
) -> None:
    body = gzip.compress(BATCH) if encoding and "gzip" in encoding else BATCH
    headers = [f"Content-Type: {content_type}"] if content_type is not None else []
    headers += [f"Content-Encoding: {encoding}"] if encoding else []
    sent = request("/v1/batch", body, *headers)
    if chunked:
        head = request("/v1/batch", b"", *headers).replace(
            b"Content-Length: 0", b"Transfer-Encoding: chunked"
        )
        sent = head + b"".join(b"1\r\n%c\r\n" % byte for byte in body) + b"0\r\n\r\n"
    wire = Wire().send(sent)
    assert [answer.body for answer in wire.answers] == [{"success": True}]
    assert [len(data) for data in wire.delivery.given[0].values()] == [3, 3]


BAD = {
    "nothing": (b"", (), 400, "bad_request"),
    "half an object": (b"{", (), 400, "bad_request"),
    "a list": (b"[]", (), 400, "bad_request"),
    "a text": (b'"text"', (), 400, "bad_request"),
    "not UTF-8": (b'{"userId":"\xff"}', (), 400, "bad_request"),
    "nested too deeply": (b"[" * 100_000, (), 400, "bad_request"),
    "nested too deeply in a member": (b'{"a":' * 60_000 + b"1" + b"}" * 60_000, (), 400, "bad_request"),
    "no gzip": (EVENT, ("Content-Encoding: gzip",), 400, "bad_request"),
    "gzip that ends early": (gzip.compress(EVENT)[:-9], ("Content-Encoding: gzip",), 400, "bad_request"),
    "gzip with more behind it": (
        gzip.compress(EVENT) + b"{}",
        ("Content-Encoding: gzip",),
        400,
        "bad_request",
    ),
    "a bomb": (gzip.compress(b" " * 5_000_000), ("Content-Encoding: gzip",), 413, "too_large"),
    "another encoding": (EVENT, ("Content-Encoding: br",), 400, "bad_request"),
    "two encodings": (EVENT, ("Content-Encoding: gzip", "Content-Encoding: gzip"), 400, "bad_request"),
}


@pytest.mark.parametrize("path", ["/v1/track", "/v1/batch"])
@pytest.mark.parametrize("name", BAD)
def test_what_is_no_body_is_refused_and_the_connection_goes_on(name: str, path: str) -> None:
    body, headers, status, code = BAD[name]
    wire = Wire().send(request(path, body, *headers, keep=True), request("/v1/track", EVENT))
    first, second = wire.answers
    assert (first.status, first.body["success"], first.body["code"]) == (status, False, code)
    assert first.body["message"]
    assert second.status == 200


@pytest.mark.parametrize("batch", ['{"batch":[]}', '{"batch":{}}', '{"batch":null}', "{}", '{"batch":3}'])
def test_a_batch_without_events_is_none(batch: str) -> None:
    [answer] = Wire().send(request("/v1/batch", batch.encode())).answers
    assert (answer.status, answer.body["success"]) == (400, False)


def test_limits_are_what_they_were_set_to() -> None:
    wire = Wire(HttpLimits(request_bytes=len(BATCH)), request_bytes=len(BATCH))
    assert [answer.status for answer in wire.send(request("/v1/batch", BATCH, keep=True)).answers] == [200]
    wire.api.limits = Limits(events=2)
    assert [answer.status for answer in wire.send(request("/v1/batch", BATCH, keep=True)).answers] == [
        200,
        413,
    ]
    wire.api.limits = Limits(event_bytes=10)
    answer = wire.send(request("/v1/track", EVENT, keep=True)).answers[2]
    assert (answer.status, answer.body["code"]) == (400, "too_large")
    compressed = request("/v1/batch", gzip.compress(BATCH + b" "), "Content-Encoding: gzip", keep=True)
    assert wire.send(compressed).answers[3].status == 413
    assert wire.send(request("/v1/batch", BATCH + b" ")).answers[4].status == 413
