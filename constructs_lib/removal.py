"""What becomes of data when a stack lets go of it: it stays, unless two places agree that it goes."""

from aws_cdk import RemovalPolicy
from constructs import Construct

ALLOW_DESTROY_CONTEXT = "headgate:allow-destroy"
"""Context key of the second opt-in that destroying data needs, beside `RemovalPolicy.DESTROY`."""

_YES = ("True", "true")  # a context value of the command line is text


def check_removal(scope: Construct, policy: RemovalPolicy, *, what_goes: str, no_snapshot_of: str) -> None:
    """Refuse a snapshot, which there is none of, and DESTROY without the second opt-in.

    Raises:
        ValueError: names what would go, and the way out.
    """
    if policy is RemovalPolicy.SNAPSHOT:
        raise ValueError(f"removal_policy: SNAPSHOT is not for {no_snapshot_of}; allowed: RETAIN, DESTROY")
    if policy is RemovalPolicy.DESTROY and str(scope.node.try_get_context(ALLOW_DESTROY_CONTEXT)) not in _YES:
        raise ValueError(
            f"removal_policy: DESTROY deletes {what_goes} with the stack, so it needs a second opt-in: "
            f'set the context key "{ALLOW_DESTROY_CONTEXT}" to true, or keep RemovalPolicy.RETAIN'
        )
