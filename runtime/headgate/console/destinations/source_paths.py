"""How a source ID, which may hold any character, is written in a path and in a field of a form."""

import re
from urllib.parse import quote, unquote

from starlette.convertors import Convertor, register_url_convertor

# Browsers take a part of a path that is one dot or two, encoded or not, for the way up.
_DOTS = re.compile(r"\.{1,2};*")


def encoded(source_id: str) -> str:
    """Return a source ID as one part of a path."""
    return quote(source_id + ";" if _DOTS.fullmatch(source_id) else source_id, safe="")


def decoded(part: str) -> str:
    """Return the source ID of what `encoded` made."""
    return _without_mark(unquote(part))


def path_of(source_id: str, place: int) -> str:
    """Return where the page of a destination is; the first of a source has place 1."""
    return f"/destinations/{encoded(source_id)}/{place}"


class _SourceId(Convertor[str]):
    """A source ID in a route: slashes and line ends belong to it. A route has to end with something else."""

    regex = "(?s:.+)"

    def convert(self, value: str) -> str:
        return _without_mark(value)  # the server has decoded it

    def to_string(self, value: str) -> str:
        return encoded(value)


class _Place(Convertor[int]):
    """The place of a destination in a route."""

    regex = "[0-9]{1,9}"

    def convert(self, value: str) -> int:
        return int(value)

    def to_string(self, value: int) -> str:
        return str(value)


def _without_mark(part: str) -> str:
    return part[:-1] if _DOTS.fullmatch(part) and part.endswith(";") else part


register_url_convertor("source", _SourceId())
register_url_convertor("place", _Place())
