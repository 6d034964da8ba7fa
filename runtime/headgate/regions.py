"""The regions that Kinesis is known to be in."""

import difflib
from collections.abc import Iterable

from botocore.session import Session


def listed(session: Session) -> dict[str, str]:
    """Return the partition of each region that botocore lists for Kinesis; one may be newer than botocore."""
    return {
        name: partition
        for partition in session.get_available_partitions()
        for name in session.get_available_regions("kinesis", partition)
    }


def near(name: str, regions: Iterable[str]) -> list[str]:
    """Return the regions that somebody who wrote `name` may have meant, at most two, the likeliest first."""
    return difflib.get_close_matches(name, list(regions), n=2, cutoff=0.8)
