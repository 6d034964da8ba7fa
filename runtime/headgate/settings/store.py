"""What a store of settings is: a file, a secret. One watch follows any of them."""

from collections.abc import Callable, Hashable
from dataclasses import dataclass
from typing import Protocol

from headgate.errors import AwsError
from headgate.settings.schema import Source

Stamp = Hashable


@dataclass(frozen=True, slots=True)
class Version:
    """What a store holds at one moment."""

    stamp: Stamp
    """Another whenever the content may be another; never None."""
    sources: Callable[[], dict[str, Source]]
    """Reads and checks the content, and returns the source of every write key. It may block.

    Raises:
        SettingsError: the content is not valid; one line that names the store and what is wrong.
        AwsError: it cannot be read now.
    """


class Store(Protocol):
    """Where settings are kept."""

    name: str
    """As logs and messages call it."""
    interval: float
    """About how many seconds pass between two looks at it."""

    def latest(self) -> Version:
        """Return what it holds now. It may block, for seconds.

        Raises:
            AwsError: it cannot be read now, which may pass; one line that names it and has AWS's words.
        """
        ...


def first_of(store: Store) -> Version | None:
    """Return what a store holds, already read and checked; None where AWS does not give it now.

    Raises:
        SettingsError: it is not valid.
    """
    try:
        version = store.latest()
        sources = version.sources()
    except AwsError:
        return None
    return Version(version.stamp, lambda: sources)
