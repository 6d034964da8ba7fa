"""Where a forwarder delivers to, and who it is to those that let it."""

from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk.assertions import Template

from constructs_lib import DestinationRole, EventStream
from constructs_lib.forwarder import ForwarderDestination, forwarder_principal
from tests.constructs_lib.forwarder.scene import ACCOUNT, ROLE_ARN, new_stack, stream

ELSEWHERE = "999988887777"


def trust(**principal: Any) -> dict[str, Any]:
    """The trust statement of a role that trusts a forwarder alone."""
    stack = new_stack()
    DestinationRole(
        stack,
        "Role",
        streams=[stream(stack)],
        source_ids=["8kf3Qw2LpZ"],
        principals=[forwarder_principal(**principal)],
    )
    [role] = Template.from_stack(stack).find_resources("AWS::IAM::Role").values()
    [statement] = role["Properties"]["AssumeRolePolicyDocument"]["Statement"]
    found: dict[str, Any] = statement
    return found


def test_a_forwarder_of_another_account_is_that_account_under_the_name_of_its_task_role() -> None:
    statement = trust(task_role_name="headgate-prod-forwarder", account=ELSEWHERE)
    partition = {"Ref": "AWS::Partition"}
    name = f":iam::{ELSEWHERE}:role/headgate-prod-forwarder"
    assert statement["Principal"] == {"AWS": f"arn:aws:iam::{ELSEWHERE}:root"}
    assert statement["Condition"] == {
        "ArnEquals": {"aws:PrincipalArn": {"Fn::Join": ["", ["arn:", partition, name]]}},
        "StringEquals": {"sts:ExternalId": "8kf3Qw2LpZ"},
    }


def test_a_forwarder_of_the_same_account_needs_no_account() -> None:
    statement = trust(task_role_name="forwarder")
    assert {"Ref": "AWS::AccountId"} in statement["Principal"]["AWS"]["Fn::Join"][1]
    assert statement["Condition"]["ArnEquals"]["aws:PrincipalArn"]["Fn::Join"][1][-1] == ":role/forwarder"


@pytest.mark.parametrize("account", ["1234", "arn:aws:iam::123456789012:root", "12345678901a"])
def test_what_is_no_account_is_refused(account: str) -> None:
    with pytest.raises(
        ValueError, match=f"^account: '{account}' is not an account; it has 12 digits, as 123456789012$"
    ):
        forwarder_principal(task_role_name="forwarder", account=account)


@pytest.mark.parametrize(
    "arn",
    [
        "events-writer",
        f"arn:aws:iam::{ACCOUNT}:user/someone",
        f"arn:aws:iam::{ACCOUNT}:root",
        "arn:aws:iam::1:role/events-writer",
        f"arn:aws:sts::{ACCOUNT}:assumed-role/events-writer/session",
        ROLE_ARN + "\n",
        "",
    ],
)
def test_what_is_no_role_is_refused(arn: str) -> None:
    there = stream(new_stack())
    with pytest.raises(
        ValueError, match=r"^role_arn: .* is not the ARN of a role; it looks like arn:aws:iam::"
    ):
        ForwarderDestination(stream=there, role_arn=arn)


@pytest.mark.parametrize(
    "arn",
    [ROLE_ARN, f"arn:aws-cn:iam::{ACCOUNT}:role/a/path/writer", f"arn:aws-us-gov:iam::{ACCOUNT}:role/x"],
)
def test_roles_of_every_partition_and_path_are_accepted(arn: str) -> None:
    assert ForwarderDestination(stream=stream(new_stack()), role_arn=arn).role_arn == arn


def test_a_destination_role_is_a_destination() -> None:
    stack = new_stack()
    events = EventStream(stack, "Events")
    role = DestinationRole(
        stack,
        "Role",
        streams=[events],
        source_ids=["ab"],
        principals=[forwarder_principal(task_role_name="f")],
    )
    destination = ForwarderDestination.of(events, role)
    assert (destination.stream, destination.role_arn) == (events, role.role_arn)


def test_an_arn_that_only_the_deployment_knows_passes() -> None:
    arn = cdk.Fn.import_value("role")
    assert ForwarderDestination(stream=stream(new_stack()), role_arn=arn).role_arn == arn
