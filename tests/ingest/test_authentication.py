from base64 import b64encode

import pytest

from headgate.ingest.authentication import write_key


def basic(text: bytes, scheme: bytes = b"Basic") -> bytes:
    return scheme + b" " + b64encode(text)


@pytest.mark.parametrize(
    ("authorization", "in_body", "key"),
    [
        (basic(b"wk:"), None, "wk"),
        (basic(b"wk"), None, "wk"),
        (basic(b"wk:password"), None, "wk"),
        (basic(b"wk:", b"basic"), None, "wk"),
        (basic(b"wk:", b"BASIC"), None, "wk"),
        (basic(b"w:").rstrip(b"="), None, "w"),
        (basic(b"wk:") + b"  ", None, "wk"),
        (basic(b"wk:"), "other", "wk"),
        (basic(b":"), "wk", "wk"),
        (basic(b""), "wk", "wk"),
        (basic(b"\xff:"), "wk", "wk"),
        (b"Basic !!!", "wk", "wk"),
        (b"Basic a", "wk", "wk"),
        (b"Basic", "wk", "wk"),
        (b"", "wk", "wk"),
        (b"Bearer some.token", "wk", "wk"),
        (b"Bearer " + b64encode(b"wk:"), None, None),
        (None, "wk", "wk"),
        (None, "", None),
        (None, None, None),
        (basic(b":"), "", None),
        (basic("schlüssel:".encode()), None, "schlüssel"),
    ],
)
def test_the_key_of_basic_goes_before_the_one_in_the_body(
    authorization: bytes | None, in_body: str | None, key: str | None
) -> None:
    assert write_key(authorization, in_body) == key
