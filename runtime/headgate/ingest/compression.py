"""A body's Content-Encoding."""

import zlib

GZIP = (b"gzip", b"x-gzip")
MAX_MEMBERS = 64
"""Members of one gzip body; clients send one, and every further one copies what is left of the body."""


class Undecodable(Exception):  # noqa: N818  # an answer to the client
    """The body is not what its Content-Encoding says; the text says why."""


class TooLarge(Exception):  # noqa: N818  # an answer to the client
    """The body is larger than it may be once it is decompressed."""


def decoded(body: bytes, encoding: bytes, limit: int) -> bytes:
    """Return a body without its Content-Encoding.

    Args:
        body: the body as it was sent.
        encoding: the header's value: `gzip`, its old name `x-gzip`, or `identity`.
        limit: bytes that the body may have decompressed; no more than that is ever made of it.

    Raises:
        Undecodable: the encoding is another one, or the body is not gzip to its last byte.
        TooLarge: the body is larger than `limit`.
    """
    name = encoding.strip().lower()
    if name in (b"", b"identity"):
        return body
    if name not in GZIP:
        raise Undecodable(f"Content-Encoding is {name.decode('latin-1')!r:.50}; allowed: gzip, identity")
    return _gunzip(body, limit)


def _gunzip(rest: bytes, limit: int) -> bytes:
    pieces = []
    size = 0
    for _ in range(MAX_MEMBERS):  # RFC 1952: a file is a series of members
        member = zlib.decompressobj(zlib.MAX_WBITS | 16)
        try:
            piece = member.decompress(rest, limit + 1 - size)
        except zlib.error as fault:
            raise Undecodable(f"the body is not gzip: {fault}") from None
        size += len(piece)
        if size > limit:
            raise TooLarge
        pieces.append(piece)
        if not member.eof:
            raise Undecodable("the gzip body ends too early")
        rest = member.unused_data
        if not rest:
            return pieces[0] if len(pieces) == 1 else b"".join(pieces)
    raise Undecodable(f"the gzip body has more than {MAX_MEMBERS} members")
