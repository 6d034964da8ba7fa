"""What the settings mean to delivery: the target of each destination."""

from collections.abc import Iterable

from botocore.session import Session

from headgate.delivery.target import Target
from headgate.settings.locate import store_at
from headgate.settings.schema import Destination, Source


def target_of(source: Source, destination: Destination) -> Target:
    """Return a destination of a source as delivery knows it."""
    return Target(
        source_id=source.id,
        region=destination.region,
        stream_name=destination.stream_name,
        role_address=destination.role_address,
        external_id=destination.secret_id or source.id,
        strict=destination.ordering == "strict",
        max_record_kib=destination.max_record_kib,
        wire=destination.wire,
    )


def every_target(sources: Iterable[Source]) -> set[Target]:
    """Return the targets of all destinations, disabled ones too: what was spilled for them is still due."""
    return {target_of(source, each) for source in sources for each in source.destinations}


def targets_at(location: str, session: Session) -> set[Target]:
    """Return the targets of a store, read once; its Secret IDs are decrypted for that. It may block.

    Args:
        location: what `headgate serve --sources` takes.
        session: for what lies in AWS.

    Raises:
        UsageError: it is no such location, or what it holds is not valid.
        AwsError: it cannot be read now.
    """
    return every_target(store_at(location, session).latest().sources().values())
