"""The stream that a command is about, as its arguments name it."""

from typing import Annotated

import typer

from headgate.errors import UsageError
from headgate.settings.schema import STREAM_NAME

Stream = Annotated[str, typer.Argument(metavar="STREAM", help="The stream's name.", show_default=False)]
Region = Annotated[
    str | None,
    typer.Option(help="The stream's region. Default: AWS_REGION's or the profile's.", show_default=False),
]


def stream_named(name: str, given_as: str = "STREAM") -> str:
    """Return the name of a stream.

    Args:
        name: what was given.
        given_as: the argument or option.

    Raises:
        UsageError: it is none that Kinesis allows.
    """
    if not STREAM_NAME.fullmatch(name):
        raise UsageError(
            f"{given_as}: {name!r} is no stream name; allowed: 1 to 128 letters, digits and any of _ . -"
        )
    return name
