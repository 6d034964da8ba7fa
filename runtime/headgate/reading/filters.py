"""Which records are wanted, by the members of their events. Pure."""

from collections.abc import Callable, Collection, Iterable, Mapping
from operator import attrgetter

import msgspec

from headgate.reading.record import Record, members_of


class Members(msgspec.Struct, rename="camel", gc=False):
    """The members of an event that a reader asks for; None for one that is no string, or not there."""

    type: str | None = None
    event: str | None = None
    name: str | None = None
    user_id: str | None = None
    anonymous_id: str | None = None
    message_id: str | None = None
    project_id: str | None = None
    """The ID of the source."""
    received_at: str | None = None


_NONE = Members()
_decode = msgspec.json.Decoder(Members).decode
_ATTRIBUTES = {field.encode_name: field.name for field in msgspec.structs.fields(Members)}


def read_members(data: bytes) -> Members:
    """Return the members of a record's event; none of data that is no JSON object."""
    try:
        return _decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return _read_untyped(data)


def _read_untyped(data: bytes) -> Members:
    """Read an event with a member of another type, or with what msgspec does not take for JSON."""
    try:
        members = members_of(data)
    except ValueError:
        return _NONE
    if not isinstance(members, dict):
        return _NONE
    texts = {name: text for key, name in _ATTRIBUTES.items() if isinstance(text := members.get(key), str)}
    return Members(**texts)


Filter = Callable[[Iterable[Record]], list[Record]]


def filter_by(wanted: Mapping[str, Collection[str]]) -> Filter:
    """Return what picks the records that are wanted.

    Args:
        wanted: by the name of a member of `Members`, the values of which it has to have one, exactly. An
            event has to fit all the names. Without any name all records are wanted, those without an event
            too.
    """
    tests = [(attrgetter(name), frozenset(values)) for name, values in wanted.items() if values]
    if not tests:
        return list
    if len(tests) == 1:
        [(member, values)] = tests
        return lambda records: [record for record in records if member(read_members(record.data)) in values]

    def fits(record: Record) -> bool:
        members = read_members(record.data)
        return all(member(members) in values for member, values in tests)

    return lambda records: list(filter(fits, records))
