"""What a change changes, field by field, as the history tells it: no Secret ID, no write key. Pure."""

from collections import Counter
from typing import Any, NamedTuple

import msgspec

from headgate.settings.table.stored import StoredDestination, StoredSource
from headgate.settings.write_keys import shown

SET = "set"
"""All that is ever told of a Secret ID."""


class _Field(NamedTuple):
    told: Any
    by_default: bool = False


_ABSENT = _Field(None)


def what_changed(before: StoredSource | None, after: StoredSource | None) -> list[dict[str, Any]]:
    """Return the fields that differ: `field`, `old` and `new`; null is what is not there."""
    old, new = _fields(before), _fields(after)
    return [
        {"field": field, "old": old.get(field, _ABSENT).told, "new": new.get(field, _ABSENT).told}
        for field in dict.fromkeys([*old, *new])
        if _differ(old.get(field), new.get(field))
    ] + _new_secrets(before, after)


def told(struct: msgspec.Struct) -> dict[str, Any]:
    """Return what may be told of a source, its destinations aside, or of a destination: each field."""
    return {name: field.told for name, field in _fields_of(struct).items()}


def worded(value: Any) -> str:
    """Return a value that is told as TOML writes it, more or less; what is not there as a hyphen."""
    if value is None:
        return "-"
    if isinstance(value, bool):
        return str(value).lower()
    return ", ".join(map(worded, value)) or "-" if isinstance(value, list) else str(value)


def named(source: StoredSource) -> dict[str, StoredDestination]:
    """Return the destinations by region and stream; after the first of a name, with a number."""
    found: dict[str, StoredDestination] = {}
    times: Counter[str] = Counter()
    for destination in source.destinations:
        name = f"{destination.region}/{destination.stream_name}"
        times[name] += 1
        found[name if times[name] == 1 else f"{name}#{times[name]}"] = destination
    return found


def _differ(old: _Field | None, new: _Field | None) -> bool:
    """Return whether values differ; of what comes or goes, a field that is as by default is not told."""
    if old is None or new is None:
        return not (old or new or _ABSENT).by_default
    return bool(old.told != new.told)


def _fields(source: StoredSource | None) -> dict[str, _Field]:
    if source is None:
        return {}
    fields = _fields_of(source)
    for name, destination in named(source).items():
        fields |= {f"{name}: {field}": value for field, value in _fields_of(destination).items()}
    return fields


def _fields_of(struct: msgspec.Struct) -> dict[str, _Field]:
    found = {}
    for field in msgspec.structs.fields(struct):
        value = getattr(struct, field.name)
        by_default = value == field.default
        if field.name == "write_keys":
            found[field.name] = _Field(list(map(shown, value)))
        elif field.name == "encrypted_secret_id":
            found["secret_id"] = _Field(None if value is None else SET, by_default)
        elif field.name not in ("destinations", "secret_id"):
            found[field.name] = _Field(msgspec.to_builtins(value), by_default)
    return found


def _new_secrets(before: StoredSource | None, after: StoredSource | None) -> list[dict[str, Any]]:
    """Return the Secret IDs that were replaced by others: both are only `set`."""
    if before is None or after is None:
        return []
    old, new = named(before), named(after)
    return [
        {"field": f"{name}: secret_id", "old": SET, "new": "set again"}
        for name in new
        if name in old
        and None not in (old[name].encrypted_secret_id, new[name].encrypted_secret_id)
        and old[name].encrypted_secret_id != new[name].encrypted_secret_id
    ]
