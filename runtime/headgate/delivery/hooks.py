"""What a destination tells of while it works, to whoever knows all destinations."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from headgate.delivery.submission import Record, Refusal, Submission

if TYPE_CHECKING:
    from headgate.delivery.destination import Destination


@dataclass(frozen=True, kw_only=True, slots=True)
class Hooks:
    """Called as things happen; each call returns at once."""

    denied: Callable[["Destination"], None]
    """Kinesis denied an action: time to ask what the role may do."""
    resharded: Callable[["Destination"], None]
    """Records arrived in a shard that was not known: time to ask for the shards."""
    stranded: Callable[[Submission, Refusal], None]
    """A request holds records that cannot be delivered now."""
    undeliverable: Callable[["Destination", Record, Refusal], None]
    """A record, settled already, can never be delivered."""
