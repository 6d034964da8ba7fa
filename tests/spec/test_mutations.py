"""Bodies with a few bytes wrong: each is refused, or is valid JSON and all that is promised of it holds."""

from random import Random

import pytest

from bench.ingest.shapes import CALL, SHAPES
from tests.spec.checked import check

ODD = rb"""
{"sentAt":"2026-01-02T03:04:05Z","context":{"a":1.0,"ip":null},"integrations":{"All":false},"batch":[
 {"type":"page","userId":"u\ud83d","timestamp":1.0,"context":{"direct":true},"integrations":{"All":true}},
 {"type":"track","event":"timestamp","anonymousId":"\u0061","t\u0069mestamp":"2026-01-01","writeKey":{"a":["]}"]},
  "integrations":{"Amazon Kinesis":{}},"properties":{"timestamp":1e999,"big":12345678901234567890123456789}}]}
"""
BODIES = [ODD, *(shape.batch(2) for shape in SHAPES)]
SPLINTERS = (
    b'"',
    b"\\",
    b"{",
    b"}",
    b"[",
    b"]",
    b",",
    b":",
    b"\\ud83d",
    b"\xff",
    b"\xc3",
    b"null",
    b'"timestamp":1,',
    b"0",
)


def mutated(text: bytes, random: Random) -> bytes:
    for _ in range(random.choice((1, 1, 1, 2, 3))):
        at, kind = random.randrange(len(text) + 1), random.randrange(5)
        until = min(len(text), at + random.choice((1, 1, 2, 8, 40)))
        if kind == 0:
            text = text[:at] + bytes([random.randrange(256)]) + text[at + 1 :]
        elif kind == 1:
            text = text[:at] + random.choice(SPLINTERS) + text[at:]
        elif kind == 2:
            text = text[:at] + text[until:]
        elif kind == 3:
            text = text[:at] + text[at:until] * 2 + text[until:]
        elif random.random() < 0.1:
            text = text[:at]
    return text


@pytest.mark.parametrize("seed", range(4))
def test_a_body_with_a_few_bytes_wrong_is_refused_or_delivered_as_it_stands(seed: int) -> None:
    random = Random(seed)
    taken = 0
    for _ in range(400):
        if random.random() < 0.2:
            found = check(mutated(CALL.event(0), random), "page", client_side=True, ip="203.0.113.7")
        else:
            text = mutated(random.choice(BODIES), random)
            found = check(text, None, client_side=random.random() < 0.5, ip="203.0.113.7")
        taken += found is not None
    assert 50 < taken < 350
