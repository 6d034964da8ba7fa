"""The identify calls of one sync, as Segment's Engage sends them and as the forwarder would write them."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from hashlib import blake2b
from typing import Literal

import msgspec

from headgate.delivery.target import Data
from headgate.spec.event import DESTINATION
from headgate.spec.partition_key import partition_key
from headgate.spec.prepare import Event
from headgate.spec.stamp import VERSION
from headgate.spec.timestamps import render

Change = tuple[int, str, str, str]
"""A call to be: its number in the sync, the identifier's kind, the identifier, the value as JSON text."""

MAX_REST_BYTES = 2_768
"""What an event may have beside its identifier and its value."""

_json = msgspec.json.Encoder().encode
_KINDS = {"userId": b"u", "anonymousId": b"a"}
_DIGEST_BYTES = 16


@dataclass(frozen=True, slots=True)
class Computation:
    """An audience or a computed trait of one source."""

    kind: Literal["audience", "trait"]
    key: str
    source_id: str

    @property
    def left(self) -> str:
        """What a user who is no member any more is told, as JSON text."""
        return "false" if self.kind == "audience" else "null"

    @property
    def computation_id(self) -> str:
        """Stable for the source, the kind and the key: `aud_...` or `tra_...`."""
        return f"{self.kind[:3]}_{_digest(self.source_id, self.kind, self.key)}"

    @property
    def space_id(self) -> str:
        """Stable for the source: `spa_...`."""
        return f"spa_{_digest(self.source_id)}"


class Calls:
    """Makes the events of one sync.

    Args:
        computation: what they are about.
        sync: its number. With its time it makes the message IDs: a repeat of this sync has the same, and any
            other sync, also one with this number after the state was lost, has others.
        time: when it was begun; a repeat has to have the same. It is every event's `timestamp`.
    """

    def __init__(self, computation: Computation, sync: int, time: datetime) -> None:
        key = _json(computation.key)
        personas = {
            "computation_class": computation.kind,
            "computation_id": computation.computation_id,
            "computation_key": computation.key,
            "namespace": computation.space_id,
            "space_id": computation.space_id,
        }
        integrations = {"All": False, DESTINATION: True}
        self._begin = {kind: b'{"type":"identify","%b":' % kind.encode() for kind in _KINDS}
        self._traits = b',"traits":{%b:' % key
        self._context = b'},"context":{"personas":%b},"integrations":%b,"messageId":"' % (
            _json(personas),
            _json(integrations),
        )
        self._original = b'","originalTimestamp":%b' % render(time)
        self._end = b',"projectId":%b,"timestamp":%b}' % (_json(computation.source_id), render(time))
        identity = [computation.source_id, computation.kind, computation.key, sync, render(time).decode()]
        # A JSON text ends where it ends: what is appended to it cannot be taken for a part of it.
        self._hashes = {
            kind: blake2b(_json(identity) + tag, digest_size=_DIGEST_BYTES) for kind, tag in _KINDS.items()
        }

    def events(self, changes: Iterable[Change], sent_at: datetime) -> list[Event]:
        """Return the events of some changes; the index of each is its change's number.

        Args:
            changes: what to send.
            sent_at: now: their `sentAt` and `receivedAt`.
        """
        now = render(sent_at)
        tail = b'%b,"sentAt":%b,"version":%d,"channel":"server","receivedAt":%b%b' % (
            self._original,
            now,
            VERSION,
            now,
            self._end,
        )
        begin, hashes, traits, context = self._begin, self._hashes, self._traits, self._context
        events = []
        for number, kind, user, value in changes:
            text, said = _json(user), value.encode()
            digest = hashes[kind].copy()
            digest.update(text + said)
            message_id = digest.hexdigest()
            data = b"".join((begin[kind], text, traits, said, context, message_id.encode(), tail))
            events.append(Event(number, data, message_id, user))
        return events


def records(events: Iterable[Event], *, use_message_id: bool) -> list[Data]:
    """Return events as a destination's delivery takes them, each under its number.

    Args:
        events: what to deliver.
        use_message_id: the destination's setting: partition by message ID.
    """
    return [
        Data(partition_key(event, use_message_id=use_message_id), event.data, event.index) for event in events
    ]


def _digest(*parts: str) -> str:
    return blake2b(_json(parts), digest_size=_DIGEST_BYTES).hexdigest()
