"""The partition key of an event's record."""

from headgate.spec.prepare import Event


def partition_key(event: Event, *, use_message_id: bool) -> str:
    """Return `userId || anonymousId`, or the message ID."""
    return event.message_id if use_message_id else event.user
