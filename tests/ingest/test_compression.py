import gzip

import pytest

from headgate.ingest.compression import MAX_MEMBERS, TooLarge, Undecodable, decoded

TEXT = b'{"userId": "u"}' * 20
BOMB = gzip.compress(b" " * 50_000_000, mtime=0)


@pytest.mark.parametrize("encoding", [b"gzip", b"x-gzip", b"GZIP", b" gzip "])
def test_gzip_is_taken_under_each_of_its_names(encoding: bytes) -> None:
    assert decoded(gzip.compress(TEXT, mtime=0), encoding, 1_000) == TEXT


@pytest.mark.parametrize("encoding", [b"", b"identity", b"Identity"])
def test_identity_is_the_body_itself(encoding: bytes) -> None:
    assert decoded(TEXT, encoding, 1_000) is TEXT


def test_a_series_of_members_is_one_body() -> None:
    halves = gzip.compress(TEXT[:7], mtime=0) + gzip.compress(TEXT[7:]) + gzip.compress(b"")
    assert decoded(halves, b"gzip", len(TEXT)) == TEXT


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b"", "too early"),
        (TEXT, "not gzip"),
        (gzip.compress(TEXT, mtime=0)[:-1], "too early"),
        (gzip.compress(TEXT, mtime=0)[:5], "too early"),
        (gzip.compress(TEXT, mtime=0) + b"x", "not gzip|too early"),
        (gzip.compress(TEXT, mtime=0) + b"\0", "not gzip|too early"),
        (gzip.compress(TEXT, mtime=0)[:-8] + b"\0" * 8, "not gzip"),
        (gzip.compress(b"", mtime=0) * (MAX_MEMBERS + 1), "members"),
    ],
)
def test_what_is_not_gzip_to_its_last_byte_is_none(body: bytes, said: str) -> None:
    with pytest.raises(Undecodable, match=said):
        decoded(body, b"gzip", 1_000)


@pytest.mark.parametrize("encoding", [b"br", b"deflate", b"zstd", b"gzip, gzip", b"\xff"])
def test_another_encoding_is_refused_and_the_known_ones_named(encoding: bytes) -> None:
    with pytest.raises(Undecodable, match="allowed: gzip, identity"):
        decoded(TEXT, encoding, 1_000)


def test_the_limit_itself_passes_and_a_byte_more_does_not() -> None:
    assert decoded(gzip.compress(TEXT, mtime=0), b"gzip", len(TEXT)) == TEXT
    with pytest.raises(TooLarge):
        decoded(gzip.compress(TEXT, mtime=0), b"gzip", len(TEXT) - 1)


@pytest.mark.parametrize("bomb", [BOMB, gzip.compress(b"{}", mtime=0) + BOMB])
def test_no_more_is_made_of_a_bomb_than_the_limit(bomb: bytes) -> None:
    with pytest.raises(TooLarge):
        decoded(bomb, b"gzip", 513_024)
