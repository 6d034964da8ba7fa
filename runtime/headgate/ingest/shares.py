"""What a target gets of a request's events: those of some calls, each under its partition key."""

from collections.abc import Callable, Sequence
from functools import lru_cache

from headgate.delivery.target import Data
from headgate.spec.event import CALLS, CallType
from headgate.spec.partition_key import partition_key
from headgate.spec.prepare import Event

Share = tuple[tuple[CallType, ...], str]
"""What one destination asks for: calls, and what decides the partition key of their records."""
ShareOf = Callable[[Sequence[Event]], list[Data]]
"""Makes a target's records of a request's events."""


@lru_cache(maxsize=1024)  # most sources ask for the same: all calls, partitioned by their user
def sharing(*shares: Share) -> ShareOf:
    """Return a function that makes a target's records of a request's events.

    Args:
        shares: what the destinations of this target ask for; no two of them the same call.
    """
    choices = {call: choice for calls, choice in shares for call in calls}
    if choices.keys() == CALLS and len(set(choices.values())) == 1:
        key_of = partition_key(shares[0][1])
        return lambda events: [Data(key_of(event), event.data, event.index) for event in events]
    key_of_call = {call: partition_key(choice) for call, choice in choices.items()}
    return lambda events: [
        Data(key_of_call[event.call](event), event.data, event.index)
        for event in events
        if event.call in key_of_call
    ]
