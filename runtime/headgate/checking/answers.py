"""What the probes bring back, besides AWS's own answers."""

import re
from dataclasses import dataclass

from headgate.delivery.wire.faults import DENIED

NO_SUCH_ROLE = "NoSuchEntity"
NO_SUCH_STREAM = "ResourceNotFoundException"

_REASON = re.compile(
    r"because no (?P<none>.+?) allows the .+ action|with an explicit deny(?: in an? (?P<deny>[a-z -]+))?"
)


@dataclass(frozen=True, slots=True)
class Refused:
    """A call that did not come to what was asked."""

    code: str
    message: str
    """One line, as AWS or botocore words it; the probes have taken External IDs out of it."""
    answered: bool = True
    """False where AWS was never reached."""

    @property
    def denied(self) -> bool:
        """Whether a permission is missing."""
        return self.code in DENIED

    @property
    def reason(self) -> str | None:
        """What AWS says that denied, such as `identity-based policy`; None where it keeps that to itself."""
        found = _REASON.search(self.message)
        return (found["none"] or found["deny"] or "policy").strip() if found else None

    @property
    def explicit(self) -> bool:
        """Whether a Deny statement denied, and not the lack of an Allow."""
        return "explicit deny" in self.message

    @property
    def because(self) -> str | None:
        """The same, in words."""
        if self.reason is None:
            return None
        return f"an explicit deny ({self.reason})" if self.explicit else f"no {self.reason} allows it"

    @property
    def text(self) -> str:
        """Code and message."""
        return f"{self.code}: {self.message}" if self.message else self.code


@dataclass(frozen=True, slots=True)
class RegionKnown:
    """What this installation and the network know of a region."""

    partition: str | None
    """The partition that its name fits; None if it fits none."""
    listed: bool
    """Whether botocore lists it for Kinesis; a region may be newer than botocore."""
    near: tuple[str, ...] = ()
    """Listed regions of nearly that name."""
    resolves: bool | None = None
    """Whether its Kinesis endpoint has an address; None where that was not asked, or nobody could say."""


@dataclass(frozen=True, slots=True)
class Written:
    """A record that Kinesis took."""

    shard_id: str
    sequence_number: str
