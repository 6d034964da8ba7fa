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
from typing import Any, Literal, TypeVar

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
        SettingsError: they do not fit the type; one line, beginning with `where`.
    """
    try:
        return msgspec.convert(data, type_, strict=True)
    except msgspec.ValidationError as error:
        path, problem = _innermost(data, type_, "") or ("", _plain(str(error)))
        raise SettingsError(f"{where}: {path + ': ' if path else ''}{problem}") from None


def _innermost(value: Any, type_: Any, path: str) -> tuple[str, str] | None:
    """Return path and problem of the innermost part of `value` that does not fit; None if all does."""
    try:
        msgspec.convert(value, type_, strict=True)
    except msgspec.ValidationError as error:
        if isinstance(value, dict) and (struct := _struct_in(type_)) is not None:
            allowed = {field.encode_name: field for field in msgspec.structs.fields(struct)}
            for key in value:
                if key not in allowed:
                    return path, _unknown_key(key, list(allowed))
            for key, field in allowed.items():
                if field.required and key not in value:
                    return path, f"the key {key!r} is missing"
        for part, part_type, part_path in _parts(value, type_, path):
            if (found := _innermost(part, part_type, part_path)) is not None:
                return found
        return path, _plain(str(error)) + _choices(type_)
    return None


def _parts(value: Any, type_: Any, path: str) -> Iterator[tuple[Any, Any, str]]:
    if isinstance(value, dict) and (struct := _struct_in(type_)) is not None:
        for field in msgspec.structs.fields(struct):
            if field.encode_name in value:
                yield value[field.encode_name], field.type, f"{path}.{field.encode_name}".lstrip(".")
    elif isinstance(value, list) and (item_type := _item_type(type_)) is not None:
        for number, item in enumerate(value, start=1):
            name = (
                next((item[k] for k in ("id", "name", "stream_name") if k in item), None)
                if isinstance(item, dict)
                else None
            )
            yield item, item_type, f"{path}[{number}]" + (f" ({name!r})" if isinstance(name, str) else "")


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
