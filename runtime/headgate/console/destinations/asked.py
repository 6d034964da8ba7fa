"""What a form says besides its fields: which source and destination it is about, as of when. Pure."""

import re
from dataclasses import dataclass
from typing import Literal

from headgate.console.destinations.settings_form import Edit, Form
from headgate.console.destinations.source_paths import decoded
from headgate.errors import UsageError
from headgate.settings.table.stored import StoredSource

_PART = re.compile(r"[a-z0-9-]{1,32}")
_OF_DESTINATIONS = ("destination", "remove")
_NUMBER = re.compile(r"[1-9][0-9]{0,14}")


@dataclass(frozen=True, slots=True)
class Asked:
    """What a form is about."""

    form: Form
    at: str
    """What the parts of the form are called by on its page."""
    source_id: str
    version: int
    """The one of the source that is to be changed; 0: there is to be no such source yet."""
    place: int | Literal["new"] | None
    """Of the destination, from 1 on; None where the form is about none."""
    looked_at: int = 1
    """The place of the destination whose page it is on."""

    def edit(self, before: StoredSource | None) -> Edit:
        """Return what the form is about, now that the source is known.

        Raises:
            UsageError: it is gone.
        """
        if not self.version:
            return Edit(self.source_id, None, 1)
        if before is None:
            raise UsageError(f"there is no source {self.source_id!r} any more")
        if self.place is None:
            return Edit(self.source_id, before, None)
        # Of a destination that others have removed, what was typed makes a new one.
        new = len(before.destinations) + 1
        return Edit(self.source_id, before, new if self.place == "new" else min(self.place, new))


def asked_of(form: Form) -> Asked:
    """Return what a form is about.

    Raises:
        UsageError: no page of the console made it.
    """
    at, source, place = part_of(form), form.get("source", ""), form.get("place", "")
    if at == "new":
        return Asked(form, at, form.get("id", "").strip(), 0, "new")
    # `over` is the button that saves over what others have changed meanwhile.
    version = number_in(form, "over" if form.get("over") else "version")
    wanted: int | Literal["new"] | None = None
    if at in _OF_DESTINATIONS:
        wanted = "new" if place == "new" else number_in(form, "place")
    return Asked(form, at, decoded(source), version, wanted, number_in(form, "page") if "page" in form else 1)


def part_of(form: Form) -> str:
    """Return what the parts of a form are called by on its page."""
    at = form.get("at", "")
    return at if _PART.fullmatch(at) else "form"


def number_in(form: Form, name: str) -> int:
    """Return a number that the page itself has put into a form, or into the query of a path.

    Raises:
        UsageError: no page of the console did.
    """
    text = form.get(name, "")
    if not _NUMBER.fullmatch(text):
        raise UsageError(f"the {name} is no number from 1 on; load the page anew")
    return int(text)
