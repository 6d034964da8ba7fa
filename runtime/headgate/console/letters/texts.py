"""Letters as the page shows them: hostile texts cut and escaped, figures as people read them. Pure."""

from dataclasses import dataclass
from datetime import UTC, datetime

from headgate.overflow.dead_letters import DeadLetter
from headgate.overflow.origin import Origin
from headgate.overflow.summary import Group
from headgate.reading.filters import read_members
from headgate.texts import age, printable

UNKNOWN = "nobody can read where to"
_REASON, _SHORT = 2_000, 300


@dataclass(frozen=True, slots=True)
class Where:
    """Where letters are bound for."""

    name: str
    region: str
    role: str
    known: bool = True


@dataclass(frozen=True, slots=True)
class GroupRow:
    """A group of letters."""

    where: Where
    code: str
    reason: str
    records: str
    kilobytes: str
    oldest: str
    newest: str


@dataclass(frozen=True, slots=True)
class LetterRow:
    """A letter in the list of its group."""

    place: int
    when: str
    key: str
    message_id: str
    kind: str
    """The event's type, and the name of a track call."""
    size: str


def cut(text: str, most: int = _SHORT) -> str:
    """Return a text on one line, harmless, and no longer than that."""
    return printable(text[:most]) + ("…" if len(text) > most else "")


def where(origin: Origin | None) -> Where:
    """Return a destination as the page shows it."""
    if origin is None:
        return Where(UNKNOWN, "", "", known=False)
    return Where(cut(origin.name), cut(origin.region), cut(origin.role_address or "your own credentials"))


def ago(instant: datetime, now: datetime) -> str:
    """Return how long ago an instant was."""
    return age((now - instant).total_seconds())


def instant_of(moment: datetime) -> str:
    """Return an instant in UTC, to the second."""
    return f"{moment.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"


def group_row(group: Group, now: datetime) -> GroupRow:
    """Return a group as a row of its table."""
    return GroupRow(
        where(group.origin),
        cut(group.code),
        cut(group.message, _REASON),
        f"{group.records:,}",
        f"{group.bytes / 1000:,.1f}",
        ago(group.oldest, now),
        ago(group.newest, now),
    )


def letter_row(place: int, letter: DeadLetter) -> LetterRow:
    """Return a letter as a row of the list of its group."""
    members = read_members(letter.data)
    kind = " ".join(filter(None, (members.type, members.event)))
    return LetterRow(
        place,
        instant_of(letter.time),
        cut(letter.partition_key),
        cut(members.message_id or ""),
        cut(kind) if letter.origin is not None else "",
        f"{len(letter.data):,}",
    )
