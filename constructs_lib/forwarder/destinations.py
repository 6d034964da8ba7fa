"""Where a forwarder delivers to, and who it is to those that let it."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from aws_cdk import Aws
from aws_cdk import aws_iam as iam

from constructs_lib.checks import known
from constructs_lib.destination_role import DestinationRole
from constructs_lib.event_stream_base import EventStreamBase

_ROLE_ARN = re.compile(r"arn:aws[\w-]*:iam::\d{12}:role/[\w+=,.@/-]{1,576}", re.ASCII)
_ACCOUNT = re.compile(r"\d{12}")


@dataclass(frozen=True, kw_only=True, slots=True)
class ForwarderDestination:
    """A stream that a forwarder may deliver into, and the role that lets it.

    It is what the forwarder is allowed; which source's events go there stands in the settings, where the
    same role is `role_address`.

    Attributes:
        stream: the stream, here or in another account or region (`EventStream.from_stream_attributes`).
        role_arn: ARN of the role that the forwarder assumes.
        role: that role, where this app makes it: it may deliver before the first task runs, and until the
            last one has gone.

    Raises:
        ValueError: `role_arn` is not the ARN of a role.
    """

    stream: EventStreamBase
    role_arn: str
    role: DestinationRole | None = None

    def __post_init__(self) -> None:
        if known(self.role_arn) and not _ROLE_ARN.fullmatch(self.role_arn):
            raise ValueError(
                f"role_arn: {self.role_arn!r} is not the ARN of a role; "
                "it looks like arn:aws:iam::123456789012:role/events-writer"
            )

    @classmethod
    def of(cls, stream: EventStreamBase, role: DestinationRole) -> "ForwarderDestination":
        """Return the destination that a `DestinationRole` on `stream` is."""
        return cls(stream=stream, role_arn=role.role_arn, role=role)


def forwarder_principal(*, task_role_name: str | Sequence[str], account: str | None = None) -> iam.IPrincipal:
    """Return a forwarder as a role trusts it: by the name of its task role, not by the role itself.

    IAM replaces a role's ARN in a trust policy by the role's internal ID, so a task role that is made again
    under its name would be trusted no more. Trusting the account, under the condition that the caller is the
    role of that name, holds; it needs no reference to the role either, so the two can be made in any order.
    Who may make roles of that name in `account` is trusted as much as the forwarder.

    Args:
        task_role_name: the forwarder's `task_role_name`; several, to trust an `AudienceRunner` beside it in
            the same statement.
        account: the forwarder's account, 12 digits. Default: the stack's own.

    Raises:
        ValueError: `account` is not an account ID.
    """
    if known(account) and not _ACCOUNT.fullmatch(str(account)):
        raise ValueError(f"account: {account!r} is not an account; it has 12 digits, as 123456789012")
    owner = account or Aws.ACCOUNT_ID
    names = [task_role_name] if isinstance(task_role_name, str) else task_role_name
    arns = [f"arn:{Aws.PARTITION}:iam::{owner}:role/{name}" for name in names]
    return iam.PrincipalWithConditions(
        iam.AccountPrincipal(owner),
        {"ArnEquals": {"aws:PrincipalArn": arns[0] if len(arns) == 1 else arns}},
    )
