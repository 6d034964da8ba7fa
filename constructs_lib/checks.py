"""Limits checked at synth, in one voice: the prop, the value, what is allowed.

CloudFormation would refuse most of these values too, but minutes later and in other words. A token, whose
value only the deployment knows, passes every check.
"""

import re
from typing import Any

from aws_cdk import Stack, Token

# CDK's RegionInfo knows this too, but loads every fact of every region, a tenth of a synth's time.
_PARTITIONS = {
    "cn-": "aws-cn",
    "us-gov-": "aws-us-gov",
    "us-iso-": "aws-iso",
    "us-isob-": "aws-iso-b",
    "eu-isoe-": "aws-iso-e",
    "us-isof-": "aws-iso-f",
    "eusc-": "aws-eusc",
}


_ROLE_NAME = re.compile(r"[\w+=,.@-]{1,64}", re.ASCII)


def _partition(region: str) -> str:
    return next((name for prefix, name in _PARTITIONS.items() if region.startswith(prefix)), "aws")


def known(value: Any) -> bool:
    """Whether `value` is given and is known at synth, hence can be checked."""
    return value is not None and not Token.is_unresolved(value)


def check_integer(
    prop: str, value: float | None, low: int, high: int | None = None, *, unit: str = ""
) -> None:
    """Refuse a known `value` that is not a whole number from `low` to `high`, both included.

    Raises:
        ValueError: names prop, value and range.
    """
    if value is None or not known(value):
        return
    whole = isinstance(value, int) and not isinstance(value, bool)
    if not whole or value < low or (high is not None and value > high):
        allowed = f"{low:,} or more" if high is None else f"from {low:,} to {high:,}"
        raise ValueError(f"{prop}: {value!r} is not allowed; it must be a whole number{unit}, {allowed}")


def check_role_name(prop: str, value: str | None) -> None:
    """Refuse a known name that IAM has no role of.

    Raises:
        ValueError: names prop, value and what is allowed.
    """
    if known(value) and not _ROLE_NAME.fullmatch(str(value)):
        raise ValueError(
            f"{prop}: {value!r} is not allowed; it must be 1 to 64 letters, digits and any of _ + = , . @ -"
        )


def check_only_one(props: dict[str, Any], *, why: str) -> None:
    """Refuse more than one given prop of several that exclude each other.

    Raises:
        ValueError: names those given.
    """
    given = [name for name, value in props.items() if value is not None]
    if len(given) > 1:
        raise ValueError(f"{' and '.join(given)} cannot be given together: {why}; give one of them")


def check_partition(stack: Stack, prop: str, arn: Any, *, way_out: str) -> None:
    """Refuse a known ARN of another partition than the stack's: IAM would, at deploy.

    Raises:
        ValueError: names prop, ARN and partition.
    """
    if not isinstance(arn, str) or not arn.startswith("arn:") or not known(arn) or not known(stack.region):
        return
    here, there = _partition(stack.region), arn.split(":")[1]
    if here != there:
        raise ValueError(f"{prop}: {arn} does not exist for {stack.region}, of partition {here}; {way_out}")
