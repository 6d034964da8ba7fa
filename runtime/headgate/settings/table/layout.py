"""How settings lie in the table: which items there are, and what they hold. Pure.

| pk | sk | what else |
|---|---|---|
| `version` | `version` | `number`, `nonce`, `changed_at`, `changed_by`: advanced by every change |
| `source` | the source ID | `settings` (JSON), and of its last change `number`, `changed_at`, `changed_by` |
| `write_key` | the hash of a write key | `source`: which one has it |
| `history` | the number of a change, and a place | the last three, `source`, `changes` (JSON), `expires` |

A source's version is the number of the table's version that it was changed in, so it is never the same twice,
not even for a source that was removed and made again.
"""

from dataclasses import dataclass
from typing import Any

import msgspec

from headgate.errors import SettingsError
from headgate.settings.strict_toml import convert
from headgate.settings.table.stored import StoredSource

Item = dict[str, Any]
"""An item as DynamoDB's API has it: `{"pk": {"S": ...}, ...}`."""

VERSION, SOURCE, WRITE_KEY, HISTORY = "version", "source", "write_key", "history"
TTL_ATTRIBUTE = "expires"
HISTORY_DAYS = 400


class Seen(msgspec.Struct, frozen=True):
    """The version of the whole table."""

    number: int
    nonce: str
    """Another for every change: a table that was restored may come to the same number again."""


@dataclass(frozen=True, slots=True)
class Kept:
    """A source as the table has it."""

    source: StoredSource
    number: int
    """Its version."""
    changed_at: str
    changed_by: str


@dataclass(frozen=True, slots=True)
class Entry:
    """One change of one source, in the history."""

    number: int
    source: str
    changed_at: str
    changed_by: str
    changes: list[dict[str, Any]]


def key(kind: str, name: str) -> Item:
    """Return the primary key of an item."""
    return {"pk": {"S": kind}, "sk": {"S": name}}


def seen_in(item: Item) -> Seen:
    """Return the version of the table that its version item tells."""
    return Seen(int(item["number"]["N"]), item["nonce"]["S"])


def kept_in(item: Item, *, where: str) -> Kept:
    """Return the source of an item.

    Raises:
        SettingsError: it is not valid; one line, beginning with `where`.
    """
    name = item["sk"]["S"]
    try:
        text, number = item["settings"]["S"], int(item["number"]["N"])
        at, by = item["changed_at"]["S"], item["changed_by"]["S"]
    except (KeyError, ValueError):
        raise SettingsError(
            f"{where}: the item of the source {name!r} is none of headgate settings"
        ) from None
    return Kept(_source_in(text, name, where=f"{where}: the source {name!r}"), number, at, by)


def _source_in(text: str, name: str, *, where: str) -> StoredSource:
    try:
        source = msgspec.json.decode(text, type=StoredSource)
    except msgspec.ValidationError:
        source = convert(msgspec.json.decode(text), StoredSource, where=where)
    except msgspec.DecodeError as error:
        raise SettingsError(f"{where}: not valid JSON: {error}") from None
    if source.id != name:
        raise SettingsError(f"{where}: its settings have the id {source.id!r}")
    return source


def entry_in(item: Item) -> Entry:
    """Return what an item of the history tells."""
    return Entry(
        number_of(item),
        item["source"]["S"],
        item["changed_at"]["S"],
        item["changed_by"]["S"],
        msgspec.json.decode(item["changes"]["S"]),
    )


def number_of(item: Item) -> int:
    """Return the version that an item of the history is of."""
    return int(item["sk"]["S"].partition(".")[0])


def history_place(number: int, place: int = 0) -> str:
    """Return the sort key of a change: texts that sort as the numbers do."""
    return f"{number:015d}.{place:03d}"
