from base64 import b64encode

import pytest

from headgate.ingest.authentication import write_key


def basic(text: bytes, scheme: bytes = b"Basic") -> bytes:
    return scheme + b" " + b64encode(text)


@pytest.mark.parametrize(
    ("authorization", "key"),
    [
        (basic(b"wk:"), "wk"),
        (basic(b"wk"), "wk"),
        (basic(b"wk:password"), "wk"),
        (basic(b"wk:", b"basic"), "wk"),
        (basic(b"wk:", b"BASIC"), "wk"),
        (basic(b"w:").rstrip(b"="), "w"),
        (basic(b"wk:") + b"  ", "wk"),
        (basic("schlüssel:".encode()), "schlüssel"),
        (basic(b":"), None),
        (basic(b""), None),
        (basic(b"\xff:"), None),
        (b"Basic !!!", None),
        (b"Basic a", None),
        (b"Basic", None),
        (b"", None),
        (b"Bearer some.token", None),
        (b"Bearer " + b64encode(b"wk:"), None),
        (None, None),
    ],
)
def test_the_user_of_basic_is_the_write_key_and_whatever_else_is_none(
    authorization: bytes | None, key: str | None
) -> None:
    assert write_key(authorization) == key
