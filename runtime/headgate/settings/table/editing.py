"""Words of a person made into a changed source: `field=value`, checked as a `sources.toml` is. Pure."""

import re
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import msgspec

from headgate.errors import SettingsError, UsageError
from headgate.settings.schema import REGION, Destination, Source
from headgate.settings.strict_toml import convert
from headgate.settings.table.stored import StoredSource, StoredSources, members
from headgate.settings.write_keys import means

_ASSIGNMENT = re.compile(r"(?P<field>[a-z_]+)(?P<operator>\+=|-=|=)(?P<value>.*)", re.DOTALL)
_SECRET = ("secret_id", "encrypted_secret_id")


@dataclass(frozen=True, slots=True)
class Assignment:
    """What one field is to become."""

    field: str
    operator: Literal["=", "+=", "-="]
    value: str


def assignment(text: str) -> Assignment:
    """Return what `field=value`, `field+=value` or `field-=value` says.

    Raises:
        UsageError: it is none of them.
    """
    match = _ASSIGNMENT.fullmatch(text)
    if match is None:
        raise UsageError(
            f"{text!r} sets nothing; allowed: FIELD=VALUE, or FIELD+=VALUE and FIELD-=VALUE for lists"
        )
    return Assignment(match["field"], match["operator"], match["value"])  # type: ignore[arg-type]


def edited(
    source_id: str,
    before: StoredSource | None,
    assignments: Sequence[Assignment],
    *,
    destination: str | None = None,
    secret_id: str | None = None,
) -> StoredSource:
    """Return a source as it is to become; one that is not there yet is made.

    Args:
        source_id: its ID.
        before: as it is.
        assignments: of a destination's fields where `destination` is given and has such a field, else of the
            source's.
        destination: which one, or a new one: `STREAM`, `REGION/STREAM`, or its place as `#2`; the place
            after the last is a new one.
        secret_id: the Secret ID that the destination is to have.

    Raises:
        UsageError: a field or a destination that there is not, or a Secret ID that would be shown.
        SettingsError: what came of it breaks the schema; one line that names the field and what is allowed.
    """
    said: dict[str, Any] = members(before) if before is not None else {"id": source_id, "destinations": []}
    chosen = _chosen(said["destinations"], destination, source_id) if destination is not None else None
    stream_name = chosen.get("stream_name") if chosen is not None else None
    for each in assignments:
        if chosen is not None and each.field in _fields(Destination):
            _assign(chosen, each, _fields(Destination))
        else:
            _assign(said, each, _fields(Source))
    if chosen is not None:
        _set_secret(chosen, secret_id, moved=chosen.get("stream_name") != stream_name)
    elif secret_id is not None:
        raise UsageError("a Secret ID is a destination's: give --destination STREAM")
    made = convert(said, StoredSource, where=f"the source {source_id!r}")
    try:
        StoredSources(sources=(made,))
    except ValueError as error:
        raise SettingsError(f"write_keys: {error}", field="write_keys", problem=str(error)) from None
    return made


def without(before: StoredSource, destination: str) -> StoredSource:
    """Return a source without one of its destinations.

    Raises:
        UsageError: there is no such destination.
        SettingsError: it has no other.
    """
    said = members(before)
    there = len(said["destinations"])
    chosen = _chosen(said["destinations"], destination, before.id)
    if len(said["destinations"]) > there:
        raise UsageError(f"the source {before.id!r} has no destination {destination!r}; {_there(before)}")
    said["destinations"] = [each for each in said["destinations"] if each is not chosen]
    return convert(said, StoredSource, where=f"the source {before.id!r}")


def _there(source: StoredSource) -> str:
    return "there are: " + ", ".join(f"{each.region}/{each.stream_name}" for each in source.destinations)


def _chosen(destinations: list[dict[str, Any]], name: str, source_id: str) -> dict[str, Any]:
    """Return the destination of a name; where there is none, a new one among them.

    Raises:
        UsageError: there are several, or there can be none at such a place.
    """
    if name.startswith("#"):
        place, new = int(name[1:]) if name[1:].isdecimal() else 0, len(destinations) + 1
        if not 1 <= place <= new:
            raise UsageError(
                f"--destination: {name!r} is no place in {source_id!r}; allowed: #1 to #{new}, a new one"
            )
        if place == new:
            destinations.append({})
        return destinations[place - 1]
    region, slash, stream_name = name.rpartition("/")
    if slash and not REGION.fullmatch(region):
        raise UsageError(
            f"--destination: {name!r} begins with no region; allowed: STREAM, REGION/STREAM or #2"
        )
    default = _fields(Destination)["region"].default
    found = [
        each
        for each in destinations
        if each["stream_name"] == stream_name and (not slash or each.get("region", default) == region)
    ]
    if len(found) > 1:
        places = " or ".join(f"#{destinations.index(each) + 1}" for each in found)
        raise UsageError(
            f"--destination: the source {source_id!r} has {len(found)} destinations {name!r}; "
            f"give REGION/STREAM, or the place: {places}"
        )
    if not found:
        found = [{"stream_name": stream_name} | ({"region": region} if slash else {})]
        destinations += found
    return found[0]


def _fields(struct: type[msgspec.Struct]) -> dict[str, msgspec.structs.FieldInfo]:
    return {field.encode_name: field for field in msgspec.structs.fields(struct)}


def _assign(said: dict[str, Any], wanted: Assignment, fields: dict[str, msgspec.structs.FieldInfo]) -> None:
    name, operator, text = wanted.field, wanted.operator, wanted.value
    if name in _SECRET and text:
        raise UsageError(
            f"{name} is a password, and others see a command line; give --secret-id, which asks for it, or "
            "--secret-id-file PATH"
        )
    if name in ("id", "destinations"):
        raise UsageError(f"{name} is not set as a field; see: headgate settings set --help")
    if name not in fields:
        if name in _fields(Destination):
            raise UsageError(f"{name} is a field of a destination: give --destination STREAM")
        raise UsageError(f"there is no field {name!r}; allowed: {', '.join(_settable(fields))}")
    is_list = _is_list(fields[name])
    if operator != "=":
        if not is_list:
            raise UsageError(f"{name}{operator}: it is no list; allowed: {name}=VALUE")
        _change_list(said, wanted, fields[name])
    elif not text:
        said.pop(name, None)
        if name == "secret_id":
            said.pop("encrypted_secret_id", None)
    else:
        said[name] = _items(text) if is_list else _value(text, fields[name])


def _settable(fields: dict[str, msgspec.structs.FieldInfo]) -> list[str]:
    return [name for name in fields if name not in ("id", "destinations", *_SECRET)]


def _change_list(said: dict[str, Any], wanted: Assignment, field: msgspec.structs.FieldInfo) -> None:
    there = list(said.get(wanted.field, () if field.default is msgspec.NODEFAULT else field.default or ()))
    is_same = means if wanted.field == "write_keys" else str.__eq__
    for item in _items(wanted.value):
        same = [each for each in there if isinstance(item, str) and is_same(item, each)]
        if wanted.operator == "+=":
            there += [] if same else [item]
            continue
        if len(same) != 1:
            # What a person gave may be a write key: its text stays out of messages.
            many = "none" if not same else f"{len(same)}"
            raise UsageError(f"{wanted.field}-=: {many} of them is meant; see: headgate settings show")
        there.remove(same[0])
    said[wanted.field] = there


def _items(text: str) -> list[Any]:
    """Return the items of a list: of TOML's, or of words between commas."""
    if text.startswith("["):
        value = _toml(text)
        if not isinstance(value, list):
            raise UsageError('a list is TOML\'s, as ["one", "two"], or has commas, as one,two')
        return value
    return [item.strip() for item in text.split(",")]


def _value(text: str, field: msgspec.structs.FieldInfo) -> Any:
    """Return a value: a text as it is, else TOML's; what is no TOML is left for the check to refuse."""
    if _takes_text(field):
        return text
    value = _toml(text)
    return text if value is None else value


def _toml(text: str) -> Any:
    try:
        return tomllib.loads(f"value = {text}")["value"]
    except (ValueError, RecursionError):  # of more digits or brackets than Python takes, too
        return None


def _takes_text(field: msgspec.structs.FieldInfo) -> bool:
    return any(
        isinstance(kind, msgspec.inspect.StrType)
        or (isinstance(kind, msgspec.inspect.LiteralType) and isinstance(kind.values[0], str))
        for kind in _kinds(field)
    )


def _is_list(field: msgspec.structs.FieldInfo) -> bool:
    return any(
        isinstance(kind, msgspec.inspect.VarTupleType | msgspec.inspect.ListType) for kind in _kinds(field)
    )


def _kinds(field: msgspec.structs.FieldInfo) -> tuple[msgspec.inspect.Type, ...]:
    kind = msgspec.inspect.type_info(field.type)
    while isinstance(kind, msgspec.inspect.Metadata):
        kind = kind.type
    return kind.types if isinstance(kind, msgspec.inspect.UnionType) else (kind,)


def _set_secret(chosen: dict[str, Any], secret_id: str | None, *, moved: bool) -> None:
    if secret_id is not None:
        chosen.pop("encrypted_secret_id", None)
        chosen["secret_id"] = secret_id
    elif moved and "encrypted_secret_id" in chosen:
        problem = "the Secret ID is encrypted for the stream before; give it again"
        raise SettingsError(f"stream_name: {problem} with --secret-id", field="secret_id", problem=problem)
