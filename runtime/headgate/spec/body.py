"""A request's body: one call, or a batch of them."""

import msgspec
from msgspec import UNSET, Raw, UnsetType

from headgate.spec.event import MAX_DEPTH, Fields, decode
from headgate.spec.json_text import deeper, shadow
from headgate.spec.members import elements, members

_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
_WHITE_SPACE = b" \t\n\r"


class Malformed(Exception):  # noqa: N818  # an answer to the client
    """The body is not what the HTTP API takes. `code` is Segment's; the text says what is wrong."""

    def __init__(self, message: str, code: str = "bad_request") -> None:
        super().__init__(message)
        self.code = code


class Body(msgspec.Struct, gc=False):
    """What a request brought."""

    events: list[bytes]
    """Each event's JSON, byte for byte as it stood in the body."""
    sent_at: str | None = None
    context: bytes | None = None
    """What a batch says of all its events: the JSON of an object that is not empty."""
    integrations: bytes | None = None
    """As `context`."""
    _write_key: str | None = None
    fields: Fields | None = None
    """What was read of its only event already; nothing where it has several, or one that is read exactly."""

    @property
    def write_key(self) -> str | None:
        """The write key that the body names: its own, or that of the first event that has one.

        Events are read for it when it is asked for, so ask where no header names one.
        """
        if self.fields is not None:
            return _text(self.fields.write_key) or None
        if self._write_key is None:
            self._write_key = next(filter(None, map(_write_key_of, self.events)), None)
        return self._write_key


class _CallHead(msgspec.Struct, rename="camel", gc=False):
    write_key: str | None = None
    sent_at: str | None = None


class _BatchHead(_CallHead, rename="camel"):
    batch: list[Raw] | None = None
    context: Raw = Raw(b"")
    integrations: Raw = Raw(b"")


_decode_call = msgspec.json.Decoder(_CallHead).decode
_decode_batch = msgspec.json.Decoder(_BatchHead).decode
_decode_members = msgspec.json.Decoder(dict[str, Raw]).decode
_decode_text = msgspec.json.Decoder(str).decode


def read(text: bytes, *, batch: bool) -> Body:
    """Return the events of a request's body and what is said of all of them.

    A byte order mark at its start is dropped, as RFC 8259 allows. A member of a wrong type counts as missing,
    but for `batch`.

    Args:
        text: the body, decompressed.
        batch: whether the path takes a batch.

    Raises:
        Malformed: the body is not JSON in UTF-8, not an object, or a batch without events.
    """
    text = text.removeprefix(_BYTE_ORDER_MARK).strip(_WHITE_SPACE)
    try:
        if not text.isascii():
            text.decode()  # msgspec does not look at what it skips
        if not batch:
            fields = decode(text)
            return Body([text], fields.sent_at if fields.sent_at is not UNSET else None, fields=fields)
        head = _decode_batch(text)
    except UnicodeDecodeError as error:
        raise Malformed(f"the body is not UTF-8: byte {error.start}") from None
    except RecursionError:
        raise Malformed("the body is not valid JSON for us: it is nested too deeply") from None
    except msgspec.DecodeError:
        return _read_exactly(text, batch=batch)
    return Body(
        _not_empty(list(map(bytes, head.batch or ()))),
        head.sent_at,
        _shared(bytes(head.context)),
        _shared(bytes(head.integrations)),
        head.write_key or None,
    )


def _read_exactly(text: bytes, *, batch: bool) -> Body:
    """Return the body where msgspec finds a member of a wrong type, a lone surrogate or a fault."""
    try:
        head = _decode_members(shadow(text))
    except msgspec.ValidationError:
        raise Malformed("the body is not a JSON object") from None
    except RecursionError:
        raise Malformed("the body is not valid JSON for us: it is nested too deeply") from None
    except msgspec.DecodeError as error:
        raise Malformed(f"the body is not valid JSON: {error}") from None
    write_key, sent_at = _text(head.get("writeKey")) or None, _text(head.get("sentAt"))
    if not batch:
        return Body([text], sent_at, _write_key=write_key)
    values = {key: (member.value_start, member.end) for key, member in members(text)}
    start, end = values.get(b'"batch"', (0, 0))
    if text[start:end] in (b"", b"null"):
        _not_empty([])
    if text[start] != ord("["):
        raise Malformed("batch is not a list")
    events = [text[first:end] for first, end in elements(text, start)]
    context, integrations = (
        text[slice(*values.get(key, (0, 0)))] for key in (b'"context"', b'"integrations"')
    )
    return Body(_not_empty(events), sent_at, _shared(context), _shared(integrations), write_key)


def _not_empty(events: list[bytes]) -> list[bytes]:
    if not events:
        raise Malformed("batch is missing or empty; allowed: a list of one event or more", "empty_batch")
    return events


def _shared(value: bytes) -> bytes | None:
    """Return what a batch says of all its events; None where that is nothing."""
    return value if value.startswith(b"{") and value[1:-1].strip(_WHITE_SPACE) else None


def _text(value: Raw | UnsetType | None) -> str | None:
    """Return the text that a member is; None where it is another value, or not there."""
    if not isinstance(value, Raw) or not bytes(value).startswith(b'"'):
        return None
    return _decode_text(shadow(bytes(value)))


def _write_key_of(event: bytes) -> str | None:
    """Return an event's own write key: browsers write it there."""
    if not event.startswith(b"{") or deeper(event, MAX_DEPTH):  # such an event will be rejected
        return None
    try:
        return _decode_call(event).write_key
    except msgspec.DecodeError:
        return _text(_decode_members(shadow(event)).get("writeKey"))
