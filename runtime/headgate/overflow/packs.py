"""The text of a message: a gzip pack in base64, because SQS gives back nothing but text unchanged. Pure.

A pack holds MessagePack, in which keys are text and data are bytes. What is too long for one message is
halved until it fits, so that the limit holds exactly, however well the records compress.
"""

import base64
import gzip
import zlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Annotated, TypeVar

import msgspec

from headgate.overflow.origin import Origin

T = TypeVar("T")

MAX_RECORDS = 10_000
"""Records of one pack."""
PACK_SIZE = 1024 * 1024
"""Bytes of data and keys at which a pack is full: what a drainer takes on in one step."""
MAX_UNPACKED = 12 * 1024 * 1024
"""Bytes that a pack may unfold to: the largest record of Kinesis has 10 MiB and is alone in its pack."""

_GZIP_LEVEL = 6  # a third of the time of Python's default, and 2 % more bytes
ROOM_FOR_REASON = 4 * 1024
"""Bytes by which a message is shorter than it may be: as a dead letter its record gets a reason beside it."""


class Unreadable(Exception):  # noqa: N818  # tells what a message is
    """A message is no pack of ours: not base64, not gzip, too much inside, or not what it should hold."""


@dataclass(frozen=True, slots=True)
class Pack:
    """One message's text, and which of the items are in it."""

    body: str
    items: range


@dataclass(frozen=True, slots=True)
class Packed:
    """Some items as messages, in their order."""

    packs: list[Pack] = field(default_factory=list)
    too_large: list[int] = field(default_factory=list)
    """The items that fit into no message, by their index."""


class _Records(msgspec.Struct, frozen=True, kw_only=True, tag_field="holds", tag="records"):
    origin: Origin
    records: Annotated[list[tuple[str, bytes]], msgspec.Meta(min_length=1, max_length=MAX_RECORDS)]


_decode_records = msgspec.msgpack.Decoder(_Records).decode


def pack(origin: Origin, records: Sequence[tuple[str, bytes]], limit: int) -> Packed:
    """Return records of one destination as messages.

    Args:
        origin: where all of them are bound for.
        records: partition key and data of each.
        limit: the most bytes of one message.
    """

    def encode(part: range) -> bytes:
        return msgspec.msgpack.encode(_Records(origin=origin, records=[records[i] for i in part]))

    # Four bytes for each character are too many; it is only a guess of where to cut.
    return fit([len(data) + len(key) for key, data in records], encode, limit)


def unpack(body: str) -> tuple[Origin, list[tuple[str, bytes]]]:
    """Return the destination and the records of a message.

    Raises:
        Unreadable: it is no pack of records.
    """
    held = decoded(body, _decode_records)
    return held.origin, held.records


def fit(sizes: Sequence[int], encode: Callable[[range], bytes], limit: int) -> Packed:
    """Return items as messages of at most `limit` bytes each.

    Args:
        sizes: about how many bytes each item has.
        encode: returns some of them, by their indices, as bytes.
        limit: the most bytes of one message.
    """
    packed = Packed()
    for chunk in chunks(sizes):
        parts = [chunk]
        while parts:
            part = parts.pop()
            body = _body(encode(part))
            if body is not None and len(body) <= limit:
                packed.packs.append(Pack(body, part))
            elif len(part) == 1:
                packed.too_large.append(part[0])
            else:
                middle = len(part) // 2
                parts += [part[middle:], part[:middle]]
    return packed


def decoded(body: str, decode: Callable[[bytes], T]) -> T:
    """Return what a message holds, by the decoder of its type.

    Raises:
        Unreadable: it does not hold that.
    """
    try:
        packed = base64.b64decode(body, validate=True)
        inflater = zlib.decompressobj(wbits=16 + zlib.MAX_WBITS)
        content = inflater.decompress(packed, MAX_UNPACKED)
        if not inflater.eof:
            raise Unreadable("the message is cut off, or unfolds to more than a pack holds")
        return decode(content)
    except (ValueError, zlib.error, msgspec.DecodeError) as error:
        raise Unreadable(f"the message is no pack: {type(error).__name__}") from None


def chunks(sizes: Sequence[int]) -> Iterator[range]:
    """Return items of so many bytes each as portions of a pack's size; a larger one is a portion alone."""
    start = size = 0
    for index, more in enumerate(sizes):
        if index > start and (size + more > PACK_SIZE or index - start == MAX_RECORDS):
            yield range(start, index)
            start, size = index, 0
        size += more
    if sizes:
        yield range(start, len(sizes))


def _body(content: bytes) -> str | None:
    if len(content) > MAX_UNPACKED:
        return None
    return base64.b64encode(gzip.compress(content, _GZIP_LEVEL, mtime=0)).decode("ascii")
