"""What the settings alone tell: External ID, region and partition."""

from headgate.checking.answers import RegionKnown
from headgate.checking.outcomes import Outcome, failed, ok, unknown
from headgate.settings.schema import EXTERNAL_ID, Destination, Source


def sent_id(destination: Destination) -> str:
    """Return what the External ID that is sent is, in words that never hold its text."""
    return "the source ID" if destination.secret_id is None else "the Secret ID (secret_id)"


def settings(source: Source, destination: Destination) -> Outcome:
    """Return whether the settings of a destination can work, now that they fit the schema."""
    if destination.role_address is None:
        detail = "valid; without role_address the forwarder's own credentials write"
    elif destination.secret_id is None and not EXTERNAL_ID.fullmatch(source.id):
        return failed(
            f"the source ID {source.id!r} is to be sent as the External ID and cannot be one",
            "give secret_id, or a source ID of 2 to 1,224 characters of a-z A-Z 0-9 _ + = , . @ : / -",
        )
    else:
        detail = f"valid; {sent_id(destination)} is sent as the External ID"
    if not (source.enabled and destination.enabled):
        whose = "the destination" if source.enabled else "the source"
        detail += f"; but {whose} is not enabled, so nothing is delivered"
    return ok(detail)


def region(destination: Destination, known: RegionKnown) -> Outcome:
    """Return whether the region is one, and whether the role can be used in it."""
    name, role = destination.region, destination.role_address
    near = " or ".join(known.near)
    correct = f"correct region{f' (did you mean {near}?)' if near else ''}"
    if known.partition is None:
        return failed(f"{name!r} is no region: no partition of AWS has regions of such a name", correct)
    if role is not None and (partition := role.split(":")[1]) != known.partition:
        return failed(
            f"the role {role} is in partition {partition}, and {name} is in {known.partition}",
            "correct region, or give a role of the partition that the stream is in",
        )
    if known.listed:
        return ok(f"{name}, in partition {known.partition}")
    if known.resolves is False:
        return failed(
            f"{name!r} is no region: none of that name is known, and Kinesis has no address there", correct
        )
    return unknown(
        f"botocore does not list a region {name!r}", f"{correct}, or upgrade boto3 if the region is new"
    )
