"""What one transaction does to the items of a table, and which changes fit into one. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec

from headgate.errors import SettingsError
from headgate.settings.table.changes import what_changed
from headgate.settings.table.layout import (
    HISTORY,
    SOURCE,
    TTL_ATTRIBUTE,
    VERSION,
    WRITE_KEY,
    Item,
    Kept,
    Seen,
    history_place,
    key,
)
from headgate.settings.table.stored import StoredSource, members

ITEM_BYTES = 400 * 1024
"""The largest item (DynamoDB quotas)."""
TRANSACTION_ITEMS, TRANSACTION_BYTES = 100, 4 * 1024 * 1024
"""The most of one TransactWriteItems (DynamoDB quotas)."""

_ROOM_BYTES = 16 * 1024
"""In a transaction, for what the items of one change hold besides its settings."""


@dataclass(frozen=True, slots=True)
class Change:
    """What is to become of one source."""

    before: Kept | None
    after: StoredSource | None

    @property
    def was(self) -> StoredSource | None:
        """What it was; None for one that is new."""
        return self.before.source if self.before is not None else None

    @property
    def source_id(self) -> str:
        """Whose it is."""
        source = self.after or self.was
        if source is None:
            raise ValueError("a change is of a source that was, or that is to be")
        return source.id


@dataclass(frozen=True, slots=True)
class Step:
    """One item of a transaction, and what it is there for."""

    kind: str
    name: str
    """Which source ID or hash it is about."""
    request: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Signature:
    """Who changes settings, when, and what the version is called after that."""

    who: str
    at: str
    """UTC, in ISO 8601."""
    expires: int
    """When the history forgets it, in seconds since 1970."""
    nonce: str


def transaction(table: str, changes: Sequence[Change], seen: Seen | None, signature: Signature) -> list[Step]:
    """Return all that one transaction does: the version, the sources, their write keys and the history.

    Args:
        table: its name.
        changes: of different sources, whose write keys are hashes.
        seen: the version of the table that this is to follow; None for the first.
        signature: whose change it is.

    Raises:
        SettingsError: it is more than DynamoDB takes; it names the limit.
    """
    number = seen.number + 1 if seen is not None else 1
    signed = {
        "number": {"N": str(number)},
        "changed_at": {"S": signature.at},
        "changed_by": {"S": signature.who},
    }
    version = Step(
        VERSION,
        VERSION,
        _put(
            table,
            key(VERSION, VERSION) | signed | {"nonce": {"S": signature.nonce}},
            {"number": {"N": str(seen.number)}, "nonce": {"S": seen.nonce}} if seen is not None else None,
        ),
    )
    steps = [version]
    for place, change in enumerate(changes):
        steps.append(_source_step(table, change, signed))
        name = history_place(number, place)
        history = (
            key(HISTORY, name)
            | signed
            | {
                "source": {"S": change.source_id},
                "changes": {"S": _json(what_changed(change.was, change.after))},
                TTL_ATTRIBUTE: {"N": str(signature.expires)},
            }
        )
        _check_size(f"the change of the source {change.source_id!r}", history)
        steps.append(Step(HISTORY, name, _put(table, history, None)))
    steps += _write_key_steps(table, changes)
    if len(steps) > TRANSACTION_ITEMS:
        names = ", ".join(repr(change.source_id) for change in changes)
        raise SettingsError(
            f"write_keys of {names}: changing {len(steps) - 1 - 2 * len(changes)} at once takes {len(steps)} "
            f"items; TransactWriteItems takes {TRANSACTION_ITEMS}: change fewer at a time"
        )
    return steps


def batches(changes: Iterable[Change]) -> list[list[Change]]:
    """Return changes in as few transactions as they fit; those that move a write key stay together."""
    found: list[list[Change]] = []
    items = size = 0
    for group in _groups(list(changes)):
        its_items = sum(2 + len(_write_keys_of(c.was) ^ _write_keys_of(c.after)) for c in group)
        its_size = sum(_size(change) for change in group)
        if not found or items + its_items > TRANSACTION_ITEMS or size + its_size > TRANSACTION_BYTES:
            found.append([])
            items, size = 1, 0
        found[-1] += group
        items, size = items + its_items, size + its_size
    return found


def _groups(changes: list[Change]) -> list[list[Change]]:
    """Return changes, those together between which a write key goes from one source to another."""
    from_: dict[str, int] = {}
    for place, change in enumerate(changes):
        from_ |= dict.fromkeys(_write_keys_of(change.was) - _write_keys_of(change.after), place)
    group_of = list(range(len(changes)))

    def root(place: int) -> int:
        while group_of[place] != place:
            place = group_of[place]
        return place

    for place, change in enumerate(changes):
        for write_key in _write_keys_of(change.after) - _write_keys_of(change.was):
            if write_key in from_:
                group_of[root(place)] = root(from_[write_key])
    groups: dict[int, list[Change]] = {}
    for place, change in enumerate(changes):
        groups.setdefault(root(place), []).append(change)
    return list(groups.values())


def _size(change: Change) -> int:
    """Return no less than what the items of a change have: settings, and in the history old and new."""
    both = (change.was, change.after)
    sizes = [len(_json(members(source)).encode()) for source in both if source is not None]
    return 2 * sum(sizes) + _ROOM_BYTES


def _write_keys_of(source: StoredSource | None) -> set[str]:
    return set(source.write_keys) if source is not None else set()


def _source_step(table: str, change: Change, signed: Item) -> Step:
    name = change.source_id
    condition = {"number": {"N": str(change.before.number)}} if change.before is not None else None
    if change.after is None:
        return Step(SOURCE, name, _delete(table, key(SOURCE, name), condition))
    text = _json(members(change.after))
    item = key(SOURCE, name) | signed | {"settings": {"S": text}}
    _check_size(f"the source {name!r}", item)
    return Step(SOURCE, name, _put(table, item, condition))


def _write_key_steps(table: str, changes: Sequence[Change]) -> list[Step]:
    """Return what keeps a write key to one source: an item for each, changed with its source."""
    before = {write_key: c.source_id for c in changes for write_key in _write_keys_of(c.was)}
    after = {write_key: c.source_id for c in changes for write_key in _write_keys_of(c.after)}
    steps = []
    for write_key in sorted(before.keys() | after.keys()):
        old, new = before.get(write_key), after.get(write_key)
        if old == new:
            continue
        condition = {"source": {"S": old}} if old is not None else None
        item = key(WRITE_KEY, write_key)
        request = (
            _delete(table, item, condition)
            if new is None
            else _put(table, item | {"source": {"S": new}}, condition)
        )
        steps.append(Step(WRITE_KEY, write_key, request))
    return steps


def _put(table: str, item: Item, as_it_was: Mapping[str, Any] | None) -> dict[str, Any]:
    return {"Put": {"TableName": table, "Item": item, **_only_if(as_it_was)}}


def _delete(table: str, item: Item, as_it_was: Mapping[str, Any] | None) -> dict[str, Any]:
    return {"Delete": {"TableName": table, "Key": item, **_only_if(as_it_was)}}


def _only_if(as_it_was: Mapping[str, Any] | None) -> dict[str, Any]:
    """Return the condition that an item has these attributes; None for one that is not there."""
    told = {"ReturnValuesOnConditionCheckFailure": "ALL_OLD"}
    if as_it_was is None:
        return {"ConditionExpression": "attribute_not_exists(pk)", **told}
    return {
        "ConditionExpression": " AND ".join(f"#{name} = :{name}" for name in as_it_was),
        "ExpressionAttributeNames": {f"#{name}": name for name in as_it_was},
        "ExpressionAttributeValues": {f":{name}": value for name, value in as_it_was.items()},
        **told,
    }


def _json(value: Any) -> str:
    return msgspec.json.encode(value).decode()


def _check_size(what: str, item: Item) -> None:
    size = sum(
        len(name.encode()) + len(text.encode()) for name, value in item.items() for text in value.values()
    )
    if size > ITEM_BYTES:
        raise SettingsError(
            f"{what} has {size:,} bytes; allowed: {ITEM_BYTES:,}, the most of an item in DynamoDB"
        )
