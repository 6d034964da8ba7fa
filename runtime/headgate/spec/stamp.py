"""What the server adds to an event: its ID where it has none, its times, its source, a browser's address."""

from collections.abc import Callable
from datetime import datetime, timedelta
from functools import lru_cache

import msgspec
from msgspec import UNSET, Raw, UnsetType

from headgate.spec.event import Context, Fields, is_json
from headgate.spec.splice import is_plain, last, prepend, remove, rename
from headgate.spec.timestamps import corrected, parse, render

VERSION = 2
"""The version of the Spec, which every event names."""

_TIMESTAMP, _ORIGINAL = b'"timestamp"', b'"originalTimestamp"'
_SENT_AT, _RECEIVED_AT = b'"sentAt"', b'"receivedAt"'
_WRITE_KEY, _PROJECT_ID = b'"writeKey"', b'"projectId"'
_TYPE, _MESSAGE_ID = b'"type"', b'"messageId"'
_VERSION, _CHANNEL = b'"version"', b'"channel"'
_CONTEXT, _IP = b'"context"', b'"ip"'
_FROM_CLIENT, _FROM_SERVER = (
    b',"version":%d,"channel":"%b"' % (VERSION, channel) for channel in (b"client", b"server")
)
_NOT_SENT = (UNSET,) * 5
_NO_LAG = timedelta(0)
_MICROSECONDS = [timedelta(microseconds=number) for number in range(1000)]

_json = msgspec.json.Encoder().encode
_json_again = lru_cache(maxsize=4096)(_json)  # of what comes with many requests


class Arrival(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """What all events of one request share."""

    received_at: datetime
    sent_at: str | None
    """The request's own `sentAt`, for the events that have none."""
    project_id: str
    """The source ID."""
    call: str | None = None
    """The type that the path names; None for a batch, where each event names its own."""
    client_side: bool = False
    """Whether a browser or a phone sent it: `channel` is then "client", and the IP address is noted."""
    ip: str | None = None
    """The client's address; noted as `context.ip` of a client-side call."""


class Stamp:
    """Stamps the events of one request; what they share is made once.

    What the client sent stays byte for byte, but for: `timestamp`, which becomes `originalTimestamp`; the
    write key, which is taken out; `receivedAt` and `projectId`, which only the server gives; and what is null
    or missing where the Spec wants a value.
    """

    def __init__(self, arrival: Arrival, new_message_id: Callable[[], str]) -> None:
        # As it is told: so the four times of an event agree to the millisecond.
        received = arrival.received_at
        received -= _MICROSECONDS[received.microsecond % 1000]
        sent = parse(arrival.sent_at) if arrival.sent_at else None
        self._arrival = arrival
        self._new_message_id = new_message_id
        self._call = arrival.call
        self._received = received
        self._lag = _NO_LAG if sent is None else received - sent
        # A time that cannot be read is none; nor is a text of any length to be put into every event.
        self._sent_at = None if sent is None else arrival.sent_at
        self._always = b',"receivedAt":%b,"projectId":%b,"timestamp":' % (
            render(received),
            _json_again(arrival.project_id),
        )
        # What is added to an event as SDKs send it: alone, where it has a `sentAt`, and in a batch.
        self._usual = (_FROM_CLIENT if arrival.client_side else _FROM_SERVER) + self._always
        self._usual_in_batch: bytes | None = None

    def __call__(self, text: bytes, fields: Fields) -> bytes:
        """Return the event as it goes into the stream, and give `fields` a message ID where it has none.

        Args:
            text: the event's JSON, without white space around it.
            fields: what was read of it. It has a user, so the object has a member that stays.
        """
        plain = is_plain(text)
        if fields.write_key is not UNSET:
            text = remove(text, _WRITE_KEY, plain=plain)
        context = fields.context
        if self._arrival.client_side or (
            isinstance(context, Context) and context.direct is not UNSET and is_json(context.direct, b"true")
        ):
            text = self._with_address(text, context, plain=plain)
        original, sent_at = fields.timestamp, fields.sent_at
        if (
            original
            and fields.message_id
            and sent_at is not None
            and (
                fields.original_timestamp,
                fields.version,
                fields.channel,
                fields.received_at,
                fields.project_id,
            )
            == _NOT_SENT
            and (self._call is None or self._call == fields.type)
        ):
            added = self._usual if sent_at is not UNSET else self._in_batch()
        else:
            text, added = self._complete(text, fields, plain=plain)
        renamed = isinstance(original, str)
        if not renamed:
            original = fields.original_timestamp
        lag = self._lag if sent_at is UNSET or sent_at == self._sent_at else self._lag_of(sent_at)
        added += render(corrected(original or "", lag, self._received))
        if renamed:
            return rename(text, _TIMESTAMP, _ORIGINAL, added=added, plain=plain)
        return b"%b%b}" % (text[:-1], added)

    def _in_batch(self) -> bytes:
        if self._usual_in_batch is None:
            self._usual_in_batch = b',"sentAt":%b%b' % (self._request_sent_at(), self._usual)
        return self._usual_in_batch

    def _request_sent_at(self) -> bytes:
        """Return when the request was sent, as JSON; of one that does not say it, when it was received."""
        return render(self._received) if self._sent_at is None else _json(self._sent_at)

    def _complete(self, text: bytes, fields: Fields, *, plain: bool) -> tuple[bytes, bytes]:
        """Return the event without what is to be replaced, and what is to be added to it."""
        sent_at = self._request_sent_at()
        expected: list[tuple[bytes, object, bytes]] = [
            (_SENT_AT, fields.sent_at, sent_at),
            (_VERSION, _or_none(fields.version), b"%d" % VERSION),
            (_CHANNEL, _or_none(fields.channel), b'"client"' if self._arrival.client_side else b'"server"'),
        ]
        unwanted = [
            key
            for key, found in ((_RECEIVED_AT, fields.received_at), (_PROJECT_ID, fields.project_id))
            if found is not UNSET
        ]
        if self._call is not None and self._call != fields.type:
            expected.append((_TYPE, _not_usable(fields.type), _json(self._call)))
        if not fields.message_id:
            missing = _not_usable(fields.message_id)
            fields.message_id = self._new_message_id()
            expected.append((_MESSAGE_ID, missing, _json(fields.message_id)))
        if not isinstance(fields.timestamp, str):
            expected.append((_ORIGINAL, fields.original_timestamp, sent_at))
            unwanted += [_TIMESTAMP] if fields.timestamp is None else []
        elif fields.original_timestamp is not UNSET:
            unwanted.append(_ORIGINAL)
        unwanted += [key for key, found, _ in expected if found is None]
        text = remove(text, *unwanted, plain=plain)
        added = b"".join(
            b",%b:%b" % (key, value) for key, found, value in expected if found is None or found is UNSET
        )
        return text, added + self._always

    def _lag_of(self, sent_at: str | None) -> timedelta:
        """Return how long before `receivedAt` the client, by its own clock, sent the event."""
        sent = parse(sent_at) if sent_at else None
        return self._lag if sent is None else self._received - sent

    def _with_address(self, text: bytes, context: Context | UnsetType | None, *, plain: bool) -> bytes:
        """Return the event with the client's address, if it is known, in its `context`, if that has none."""
        if self._arrival.ip is None:
            return text
        ip = b'"ip":' + _json_again(self._arrival.ip)
        if context is UNSET or context is None:
            if context is None:
                text = remove(text, _CONTEXT, plain=plain)
            return b'%b,"context":{%b}}' % (text[:-1], ip)
        if context.ip is UNSET:
            return prepend(text, _CONTEXT, ip, plain=plain)
        if is_json(context.ip, b"null"):
            member = last(text, _CONTEXT)
            value = remove(text[member.value_start : member.end], _IP, plain=plain)
            return prepend(text[: member.value_start] + value + text[member.end :], _CONTEXT, ip, plain=plain)
        return text


def _or_none(value: Raw | UnsetType) -> Raw | UnsetType | None:
    return None if value is not UNSET and is_json(value, b"null") else value


def _not_usable(value: object) -> UnsetType | None:
    """Return None for a value that is there and has to be replaced, UNSET for one that is not there."""
    return UNSET if value is UNSET else None
