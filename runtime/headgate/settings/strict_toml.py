"""TOML into typed values, strictly: an error names the key, its place and what is allowed there.

msgspec converts; where it fails, the value is walked once more beside its type to find the innermost place
that is wrong, because msgspec's own path does not say which item of a list it means.
"""

import difflib
import re
import tomllib
import types
import typing
from collections.abc import Iterator
from typing import Any, Literal, NamedTuple, TypeVar

import msgspec

from headgate.errors import SettingsError

T = TypeVar("T")

_TOML_NAMES = {
    "object": "table",
    "str": "string",
    "int": "integer",
    "bool": "true or false",
    "array": "array",
    "float": "number",
}


class FieldError(ValueError):
    """What a type raises of a value that does not fit: where it is mended, and what is wrong.

    Args:
        field: the name of the field.
        problem: one line, which names what is wrong and what is allowed.
    """

    def __init__(self, field: str, problem: str) -> None:
        super().__init__(problem)
        self.field = field


class _Fault(NamedTuple):
    path: str
    problem: str
    field: str | None
    """Where it is mended, if that is one field."""


def decode(text: str, type_: type[T], *, where: str) -> T:
    """Return the value that the TOML `text` describes.

    Args:
        text: a TOML document.
        type_: a msgspec Struct; give it `forbid_unknown_fields=True`, so that a misspelt key is an error.
        where: what the text is, for the error: a file name, usually.

    Raises:
        SettingsError: the text is not TOML or does not fit the type; one line, beginning with `where`.
    """
    try:
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise SettingsError(f"{where}: not valid TOML: {error}") from None
    return convert(data, type_, where=where)


def convert(data: Any, type_: type[T], *, where: str) -> T:
    """Return the value that data such as TOML's or JSON's describe; otherwise as `decode`.

    Raises:
        SettingsError: they do not fit the type; one line, beginning with `where`, and the field.
    """
    try:
        return msgspec.convert(data, type_, strict=True)
    except msgspec.ValidationError as error:
        fault = _innermost(data, type_, "", None) or _Fault("", _plain(str(error)), None)
        raise SettingsError(
            f"{where}: {fault.path + ': ' if fault.path else ''}{fault.problem}",
            field=fault.field,
            problem=fault.problem,
        ) from None


def _innermost(value: Any, type_: Any, path: str, name: str | None) -> _Fault | None:
    """Return what is wrong with the innermost part of `value` that does not fit; None if all does.

    Args:
        value: what does not fit.
        type_: its type.
        path: the way to it.
        name: of the field that it is in.
    """
    try:
        msgspec.convert(value, type_, strict=True)
    except msgspec.ValidationError as error:
        if isinstance(value, dict) and (struct := _struct_in(type_)) is not None:
            allowed = {field.encode_name: field for field in msgspec.structs.fields(struct)}
            for key in value:
                if key not in allowed:
                    return _Fault(path, _unknown_key(key, list(allowed)), None)
            for key, field in allowed.items():
                if field.required and key not in value:
                    return _Fault(path, f"the key {key!r} is missing", key)
        for part in _parts(value, type_, path, name):
            if (found := _innermost(*part)) is not None:
                return found
        mended_at = error.__cause__.field if isinstance(error.__cause__, FieldError) else name
        return _Fault(path, _plain(str(error)) + _choices(type_), mended_at)
    return None


def _parts(value: Any, type_: Any, path: str, name: str | None) -> Iterator[tuple[Any, Any, str, str | None]]:
    """Give the parts of a value, each as `_innermost` takes it."""
    if isinstance(value, dict) and (struct := _struct_in(type_)) is not None:
        for field in msgspec.structs.fields(struct):
            if field.encode_name in value:
                part = f"{path}.{field.encode_name}".lstrip(".")
                yield value[field.encode_name], field.type, part, field.encode_name
    elif isinstance(value, list) and (item_type := _item_type(type_)) is not None:
        for number, item in enumerate(value, start=1):
            called = (
                next((item[k] for k in ("id", "name", "stream_name") if k in item), None)
                if isinstance(item, dict)
                else None
            )
            part = f"{path}[{number}]" + (f" ({called!r})" if isinstance(called, str) else "")
            yield item, item_type, part, name


def _members(type_: Any) -> tuple[Any, ...]:
    """Return the alternatives of a type: those of a union, of what `Annotated` wraps, or the type alone."""
    if typing.get_origin(type_) is typing.Annotated:
        return _members(typing.get_args(type_)[0])
    if isinstance(type_, types.UnionType) or typing.get_origin(type_) is typing.Union:
        return typing.get_args(type_)
    return (type_,)


def _struct_in(type_: Any) -> type[msgspec.Struct] | None:
    return next((m for m in _members(type_) if isinstance(m, type) and issubclass(m, msgspec.Struct)), None)


def _item_type(type_: Any) -> Any:
    for member in _members(type_):
        if typing.get_origin(member) in (list, tuple, set, frozenset):
            return typing.get_args(member)[0]
    return None


def _choices(type_: Any) -> str:
    values = [v for m in _members(type_) if typing.get_origin(m) is Literal for v in typing.get_args(m)]
    return f"; allowed: {', '.join(map(str, values))}" if values else ""


def _unknown_key(key: str, allowed: list[str]) -> str:
    close = difflib.get_close_matches(key, allowed, n=1)
    hint = f" (did you mean {close[0]!r}?)" if close else ""
    return f"unknown key {key!r}{hint}; allowed: {', '.join(allowed)}"


def _plain(message: str) -> str:
    """Return msgspec's message in TOML's words and without its path."""
    message = message.split(" - at `", maxsplit=1)[0]
    message = re.sub(r"`([^`]*)`", lambda quoted: _words(quoted[1]), message)
    return message[:1].lower() + message[1:]


def _words(names: str) -> str:
    return " or ".join(_TOML_NAMES.get(name, name) for name in names.split(" | ") if name != "null")
