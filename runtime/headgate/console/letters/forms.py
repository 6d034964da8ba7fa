"""What the page *Dead letters* is asked for, as its forms say it. Pure: the present is passed in."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import datetime

from headgate.errors import UsageError
from headgate.overflow.selection import Selection
from headgate.reading.since import parse_instant


@dataclass(frozen=True, slots=True)
class Filters:
    """What is written in the fields of the filters; nothing in a field lets every letter pass."""

    source: str = ""
    stream: str = ""
    code: str = ""
    message_id: str = ""
    older_than: str = ""
    newer_than: str = ""

    def selection(self, now: datetime) -> Selection:
        """Return what they ask for.

        Raises:
            UsageError: a field for an age holds none.
        """
        return Selection(
            sources=_several(self.source),
            streams=_several(self.stream),
            codes=_several(self.code),
            message_ids=frozenset(filter(None, [self.message_id])),
            since=parse_instant("Given up since", self.newer_than, now) if self.newer_than else None,
            until=parse_instant("Given up before", self.older_than, now) if self.older_than else None,
        )

    @property
    def said(self) -> str:
        """What they ask for in words; nothing where they ask for all."""
        names = {
            "source": "source",
            "stream": "stream",
            "code": "code",
            "message_id": "message ID",
            "older_than": "given up before",
            "newer_than": "given up since",
        }
        given = {name: getattr(self, field) for field, name in names.items()}
        return "; ".join(f"{name} {text}" for name, text in given.items() if text)


def filters_in(form: Mapping[str, str]) -> Filters:
    """Return the filters that a form holds."""
    return Filters(*(form.get(field.name, "").strip() for field in fields(Filters)))


def number_in(form: Mapping[str, str], name: str, called: str) -> int | None:
    """Return the number in a field; None where it is empty.

    Args:
        form: the form, or the query of a URL.
        name: the field.
        called: how the page calls it.

    Raises:
        UsageError: it is no number from 1 on.
    """
    text = form.get(name, "").strip()
    if not text:
        return None
    if not (text.isascii() and text.isdecimal() and len(text) < 10 and int(text)):
        raise UsageError(f"{called}: {text[:50]!r} is not allowed; allowed: a whole number from 1 on")
    return int(text)


def _several(text: str) -> frozenset[str]:
    return frozenset(filter(None, map(str.strip, text.split(","))))
