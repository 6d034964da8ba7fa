"""What somebody typed into a form of settings: what is wrong with it, and the source that it makes. Pure.

It is checked as `headgate settings set` checks, by the same code. No message holds a Secret ID or a write
key, and no form is ever filled with one.
"""

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

import tomli_w

from headgate.errors import HeadgateError, SettingsError
from headgate.regions import near
from headgate.settings.schema import CALL_TYPES, Destination, Source
from headgate.settings.table.editing import Assignment, edited
from headgate.settings.table.stored import StoredDestination, StoredSource

Form = Mapping[str, str]
"""What a browser sends: each field as text, a box that is not ticked not at all."""

ON = "on"
"""What a ticked box is sent as."""
REMOVE_SECRET = "secret_id.remove"  # noqa: S105  # the name of a box
GENERAL = ""
"""The key of what is wrong with no one field."""
MOST_SHOWN = 400
"""The longest line that is shown of what is wrong, in characters."""

_TEXT = ("stream_name", "region", "role_address", "partition_key", "ordering", "max_record_kib", "wire")
_BOXES = ("use_message_id", "enabled")
_OF_DESTINATION = (*_TEXT, *_BOXES, "event_types", "secret_id")
FORMS: Mapping[str, Sequence[str]] = {
    "destination": _OF_DESTINATION,
    "source": ("name", "enabled", "allowed_origins", "max_events_per_second"),
    "new": ("id", "name", "write_keys", *_OF_DESTINATION),
    "keys": ("write_keys",),
}
"""The fields of each form: of a destination, of a source's own, of a new source with its first destination,
and of a source's write keys."""
_REQUIRED = ("id", "stream_name", "write_keys")
# What a field that is wrong is taken for, so that the others are checked too: it goes with whatever they say.
_STAND_INS = {
    "stream_name": Assignment("stream_name", "=", "headgate.stand-in"),
    "region": Assignment("region", "=", "zz-none-1"),
    "role_address": Assignment("role_address", "=", "arn:aws:iam::000000000000:role/headgate.stand-in"),
    "write_keys": Assignment("write_keys", "=", "headgate.stand-in"),
    "event_types": Assignment("enabled", "=", "false"),
}
_NOT_IN_FIELDS = re.compile(r"[\r\n\0]")


@dataclass(frozen=True, slots=True)
class Edit:
    """What a form is about."""

    source_id: str
    before: StoredSource | None
    """The source as it is; None for one that is new."""
    place: int | None
    """Of the destination, from 1 on; the one after the last is a new one. None: the source's own fields."""

    @property
    def fields(self) -> Sequence[str]:
        """The fields of the form."""
        return FORMS["source" if self.place is None else "new" if self.before is None else "destination"]

    @property
    def destination(self) -> StoredDestination | None:
        """The destination as it is; None for one that is new, and for the source's own fields."""
        if self.before is None or self.place is None or self.place > len(self.before.destinations):
            return None
        return self.before.destinations[self.place - 1]


@dataclass(frozen=True, slots=True)
class _Asked:
    """A form in the words of `headgate.settings.table.editing`."""

    source_id: str
    assignments: Mapping[str, Assignment]
    secret_id: str | None


def shown_of(destination: Destination) -> dict[str, str]:
    """Return a form that changes nothing of a destination; a Secret ID is in none."""
    shown = {name: _text(getattr(destination, name)) for name in _TEXT}
    shown |= {name: ON for name in _BOXES if getattr(destination, name)}
    return shown | {f"event_types.{each}": ON for each in destination.event_types}


def shown_of_source(source: Source) -> dict[str, str]:
    """Return a form that changes nothing of a source's own fields."""
    return {
        "name": _text(source.name),
        "allowed_origins": "\n".join(source.allowed_origins),
        "max_events_per_second": _text(source.max_events_per_second),
    } | ({"enabled": ON} if source.enabled else {})


def shown_of_new() -> dict[str, str]:
    """Return the form of a destination that is yet to be made."""
    return shown_of(Destination(stream_name="-")) | {"stream_name": ""}


def faults_of(form: Form, edit: Edit, regions: Collection[str] = ()) -> dict[str, str]:
    """Return what is wrong with a form: a line by the field that mends it; without any it can be saved.

    Args:
        form: what was typed.
        edit: what it is about.
        regions: those that Kinesis is known to be in. Another one is wrong, unless it was there before: it is
            a slip far more often than it is newer than this installation.
    """
    found: dict[str, str] = {}
    if "secret_id" in edit.fields and form.get("secret_id", "").strip() and form.get(REMOVE_SECRET):
        found["secret_id"] = "a Secret ID is typed, and is to be removed; choose one"  # noqa: S105  # a message
    while True:
        try:
            _made(form, edit, found)
        except HeadgateError as error:
            field = (error.field if isinstance(error, SettingsError) else None) or GENERAL
            field = field if field in edit.fields and field not in found else GENERAL
            found[field] = shortened(error.problem if isinstance(error, SettingsError) else str(error))
            if field != GENERAL:
                continue
        break
    _add_region(found, form, edit, regions)
    return found


def made_of(form: Form, edit: Edit) -> StoredSource:
    """Return the source that a form makes. A Secret ID in it is plain, and so is a new write key.

    Raises:
        UsageError: the form has faults.
    """
    return _made(form, edit, ())


def unlike(form: Form, edit: Edit) -> list[tuple[str, str, str]]:
    """Return in which fields a form is unlike the source: each field, what it is, and what was typed."""
    shown = _shown(edit)
    found = [
        (name, shown_as, typed_as)
        for name in edit.fields
        if (shown_as := shortened(_words(shown, name))) != (typed_as := shortened(_words(form, name)))
    ]
    if form.get("secret_id", "").strip() or form.get(REMOVE_SECRET):
        is_set = edit.destination is not None and edit.destination.encrypted_secret_id is not None
        wanted = "none" if form.get(REMOVE_SECRET) else "a new one"
        found.append(("secret_id", "set" if is_set else "none", wanted))
    return found


def is_left_empty(form: Form, field: str) -> bool:
    """Return whether a field is one that has to be filled, and is not yet."""
    return field in _REQUIRED and not form.get(field, "").strip()


def shortened(line: str) -> str:
    """Return a line that fits on a page: it names what was typed, which may be anything."""
    if len(line) <= MOST_SHOWN:
        return line
    half = MOST_SHOWN // 2
    return f"{line[:half]} ... {line[-half:]}"


def list_value(items: Sequence[str]) -> str:
    """Return a list as an assignment takes it, whatever its items are."""
    return tomli_w.dumps({"value": items}).removeprefix("value = ").strip()


def _made(form: Form, edit: Edit, wrong: Collection[str]) -> StoredSource:
    asked = _asked(form, edit)
    assignments = [each for name, each in asked.assignments.items() if name not in wrong]
    assignments += [_STAND_INS.get(name, Assignment(name, "=", "")) for name in wrong if name != "id"]
    return edited(
        "headgate.stand-in" if "id" in wrong else asked.source_id,
        edit.before,
        assignments,
        destination=f"#{edit.place}" if edit.place is not None else None,
        secret_id=None if "secret_id" in wrong else asked.secret_id,
    )


def _asked(form: Form, edit: Edit) -> _Asked:
    """Return what a form changes. A field that is as it was shown is left alone."""
    shown = _shown(edit)
    values = {
        name: _value_of(form, name)
        for name in edit.fields
        if name not in ("id", "secret_id") and _value_of(form, name) != _value_of(shown, name)
    }
    assignments = {name: Assignment(name, "=", value) for name, value in values.items()}
    secret_id = None
    if "secret_id" in edit.fields:
        secret_id = form.get("secret_id", "").strip() or None
        if form.get(REMOVE_SECRET):
            assignments["secret_id"] = Assignment("secret_id", "=", "")
    source_id = form.get("id", "").strip() if "id" in edit.fields else edit.source_id
    return _Asked(source_id, assignments, secret_id)


def _shown(edit: Edit) -> Form:
    if edit.place is None:
        return shown_of_source(edit.before) if edit.before is not None else {}
    return shown_of(edit.destination) if edit.destination is not None else shown_of_new()


def _value_of(form: Form, name: str) -> str:
    """Return a field of a form as an assignment takes it."""
    if name in _BOXES:
        return "true" if form.get(name) else "false"
    if name == "event_types":
        return list_value([each for each in CALL_TYPES if form.get(f"event_types.{each}")])
    typed = form.get(name, "").strip()
    if name == "allowed_origins":
        return list_value(typed.split()) if typed else ""
    if name == "write_keys":
        return list_value([typed]) if typed else ""
    return typed


def _words(form: Form, name: str) -> str:
    """Return a field of a form for people; of what is never shown, nothing."""
    if name in ("secret_id", "write_keys"):
        return ""
    if name in _BOXES:
        return "yes" if form.get(name) else "no"
    if name == "event_types":
        return ", ".join(each for each in CALL_TYPES if form.get(f"event_types.{each}"))
    return ", ".join(form.get(name, "").split()) if name == "allowed_origins" else form.get(name, "").strip()


def _add_region(found: dict[str, str], form: Form, edit: Edit, regions: Collection[str]) -> None:
    """Add what is wrong with a region that no pattern tells."""
    typed = form.get("region", "").strip()
    before = edit.destination.region if edit.destination is not None else None
    if "region" not in edit.fields or not typed or not regions or typed in regions or typed == before:
        return
    line = found.get("region") or shortened(f"region is {typed!r}; Kinesis is not known to be in such a one")
    meant = near(typed[:64], regions)
    found["region"] = line + (f" (did you mean {' or '.join(meant)}?)" if meant else "")


def _text(value: object) -> str:
    """Return a value as a browser sends it back of a field that nobody touched."""
    return "" if value is None else _NOT_IN_FIELDS.sub("", str(value))
