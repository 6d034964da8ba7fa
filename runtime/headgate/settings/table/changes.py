"""What a change changes, field by field, as the history tells it: no Secret ID, no write key. Pure."""

from collections import Counter
from typing import Any

import msgspec

from headgate.settings.table.stored import StoredDestination, StoredSource
from headgate.settings.write_keys import shown

SET = "set"
"""All that is ever told of a Secret ID."""

_SECRET = ("secret_id", "encrypted_secret_id")


def what_changed(before: StoredSource | None, after: StoredSource | None) -> list[dict[str, Any]]:
    """Return the fields that differ: `field`, `old` and `new`; null is what is as by default."""
    old, new = told(before), told(after)
    return [
        {"field": field, "old": old.get(field), "new": new.get(field)}
        for field in dict.fromkeys([*old, *new])
        if old.get(field) != new.get(field)
    ] + _new_secrets(before, after)


def told(source: StoredSource | None) -> dict[str, Any]:
    """Return all fields of a source that are not as by default, those of destinations under their names."""
    if source is None:
        return {}
    fields = _told(source)
    for name, destination in named(source).items():
        fields |= {f"{name}.{field}": value for field, value in _told(destination).items()}
    return fields


def named(source: StoredSource) -> dict[str, StoredDestination]:
    """Return the destinations by region and stream; after the first of a name, with a number."""
    found: dict[str, StoredDestination] = {}
    times: Counter[str] = Counter()
    for destination in source.destinations:
        name = f"destinations[{destination.region}/{destination.stream_name}]"
        times[name] += 1
        found[name if times[name] == 1 else f"{name}#{times[name]}"] = destination
    return found


def _told(struct: msgspec.Struct) -> dict[str, Any]:
    fields: dict[str, Any] = {}
    for field in msgspec.structs.fields(struct):
        value = getattr(struct, field.name)
        if field.name == "destinations" or value == field.default:
            continue
        if field.name in _SECRET:
            fields["secret_id"] = SET
        elif field.name == "write_keys":
            fields[field.name] = list(map(shown, value))
        else:
            fields[field.name] = msgspec.to_builtins(value)
    return fields


def _new_secrets(before: StoredSource | None, after: StoredSource | None) -> list[dict[str, Any]]:
    """Return the Secret IDs that were replaced by others: both are only `set`."""
    if before is None or after is None:
        return []
    old, new = named(before), named(after)
    return [
        {"field": f"{name}.secret_id", "old": SET, "new": "set again"}
        for name in new.keys() & old.keys()
        if None not in (old[name].encrypted_secret_id, new[name].encrypted_secret_id)
        and old[name].encrypted_secret_id != new[name].encrypted_secret_id
    ]
