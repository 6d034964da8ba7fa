"""What cannot be delivered as things are: kept with its reason, until `headgate redrive` sends it again."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Protocol

import msgspec

from headgate.errors import one_line
from headgate.metrics import names
from headgate.metrics.store import Metrics
from headgate.overflow import packs
from headgate.overflow.origin import Origin
from headgate.overflow.queue import Queue

EXPIRED, UNREADABLE = "overflow_expired", "overflow_unreadable"
"""Codes of this room's own; all others are those of the answer that said why."""
CODE_CHARACTERS, REASON_CHARACTERS = 100, 500
"""How much of a reason is kept: it must fit into the room that a message has left for it."""

_SEND_WITHIN = 5.0


class DeadLetter(msgspec.Struct, frozen=True, kw_only=True):
    """A record, where it was bound for, and why it is not there."""

    time: datetime
    """When it was given up."""
    origin: Origin | None
    """Its destination; None for an overflow message that nobody can read, whose body is then the data."""
    partition_key: str = ""
    data: bytes
    code: str
    message: str


class DeadLetters(Protocol):
    """A store of dead letters."""

    async def put(self, letters: Sequence[DeadLetter]) -> bool:
        """Keep letters; return whether all of them are safe. After False some may be."""
        ...


def letter(
    origin: Origin | None, record: tuple[str, bytes], *, code: str, message: str, time: datetime
) -> DeadLetter:
    """Return a dead letter of a record: its partition key and its data."""
    key, data = record
    return DeadLetter(
        time=time,
        origin=origin,
        partition_key=key,
        data=data,
        code=code[:CODE_CHARACTERS],
        message=one_line(message)[:REASON_CHARACTERS],
    )


class _Letters(msgspec.Struct, frozen=True, kw_only=True, tag_field="holds", tag="letters"):
    letters: Annotated[list[DeadLetter], msgspec.Meta(min_length=1, max_length=packs.MAX_RECORDS)]


_decode = msgspec.msgpack.Decoder(_Letters).decode


def pack(letters: Sequence[DeadLetter], limit: int) -> packs.Packed:
    """Return letters as messages of at most `limit` bytes each."""

    def encode(part: range) -> bytes:
        return msgspec.msgpack.encode(_Letters(letters=[letters[i] for i in part]))

    return packs.fit([len(each.data) + len(each.message) + 100 for each in letters], encode, limit)


def unpack(body: str) -> list[DeadLetter]:
    """Return the letters of a message.

    Raises:
        Unreadable: it holds none.
    """
    return packs.decoded(body, _decode).letters


class QueueDeadLetters:
    """Dead letters in an SQS queue."""

    def __init__(self, queue: Queue, metrics: Metrics | None = None) -> None:
        self._queue = queue
        self._count = (metrics or Metrics()).counter(names.DEAD_LETTERS)

    async def put(self, letters: Sequence[DeadLetter]) -> bool:
        """Keep letters; return whether all of them are safe."""
        packed = pack(letters, (await self._queue.attributes()).limit)
        sent = await self._queue.send([each.body for each in packed.packs], _SEND_WITHIN)
        self._count.value += sum(
            len(each.items) for each, safe in zip(packed.packs, sent, strict=True) if safe
        )
        return all(sent) and not packed.too_large
