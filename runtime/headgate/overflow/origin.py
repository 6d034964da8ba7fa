"""Where a record was bound for when it was spilled or given up, and which target that is today."""

from collections.abc import Collection

import msgspec

from headgate.delivery.target import Target


class Origin(msgspec.Struct, frozen=True, kw_only=True):
    """A record's destination as it lies in a queue or a file, so that later settings do not redirect it.

    The External ID is left out: it is to be treated as a password.
    """

    source_id: str
    region: str
    stream_name: str
    role_address: str | None
    """The role to assume; None for the task's own credentials."""

    @property
    def name(self) -> str:
        """How logs and metrics call it, as they call its target."""
        return f"{self.source_id}/{self.stream_name}"


def origin_of(target: Target) -> Origin:
    """Return what is kept of a target."""
    return Origin(
        source_id=target.source_id,
        region=target.region,
        stream_name=target.stream_name,
        role_address=target.role_address,
    )


def resolve(origin: Origin, targets: Collection[Target]) -> Target:
    """Return the target to deliver to: the origin's region, stream and role, whatever settings say now.

    Args:
        origin: where the records were bound for.
        targets: those of the settings in force. The one that is the origin's is returned itself, so that its
            lanes are shared; of one with the same source and role the External ID is taken. Without either
            the External ID is the source ID, as it is where no Secret ID is set.
    """
    for target in targets:
        if origin_of(target) == origin:
            return target
    asked = origin.source_id, origin.role_address
    external_ids = [each.external_id for each in targets if (each.source_id, each.role_address) == asked]
    return Target(
        source_id=origin.source_id,
        region=origin.region,
        stream_name=origin.stream_name,
        role_address=origin.role_address,
        external_id=external_ids[0] if external_ids else origin.source_id,
    )
