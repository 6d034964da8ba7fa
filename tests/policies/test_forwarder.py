"""The forwarder's table, as a policy engine judges it on the synthesized templates of both stacks."""

import copy
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from tests.policies.deployed import Deployed, Policy
from tests.policies.engine import ALLOWED, ENGINE, FORBIDDEN, Judgement, judgements, verdicts
from tests.policies.forwarder_table import TABLE, Row, deployed, described
from tests.policies.table import TABLE as STREAM_TABLE

ENVIRONMENTS = ("dev", "prod")

needs_engine = pytest.mark.skipif(
    not ENGINE.is_dir(), reason="@cloud-copilot/iam-simulate is not installed: make setup"
)


@pytest.fixture(scope="module")
def judged() -> dict[Row, Judgement]:
    return dict(zip(TABLE, judgements([row.request() for row in TABLE]), strict=True))


@needs_engine
@pytest.mark.parametrize("row", TABLE, ids=described)
def test_the_engine_judges_as_the_table_says(judged: dict[Row, Judgement], row: Row) -> None:
    assert judged[row].verdict == row.verdict


def test_the_table_asks_each_request_once() -> None:
    asked = [replace(row, verdict="") for row in TABLE]
    assert len(set(asked)) == len(asked)


def policies(where: str) -> dict[str, Policy]:
    """Every policy of both stacks of an environment, by stack, resource and property."""
    on = deployed(where)
    [stream] = [stack for name, stack in on.beside.items() if name.endswith("-stream")]
    return {**on.policies(), **stream.policies()}


@needs_engine
@pytest.mark.parametrize("where", ENVIRONMENTS)
def test_every_statement_of_every_policy_decides_some_row(judged: dict[Row, Judgement], where: str) -> None:
    """A statement that is new has no row yet that it lets through or stops."""
    of_streams = judgements([row.request() for row in STREAM_TABLE if row.where == where])
    decided = {each for one in (*judged.values(), *of_streams) for each in one.applied}
    statements = {
        (name, index): statement
        for name, policy in policies(where).items()
        for index, statement in enumerate(policy["Statement"])
    }
    assert len(statements) > 35
    undecided = {each: statements[each].get("Sid") for each in statements.keys() - decided}
    assert undecided == {}


@needs_engine
def test_every_statement_about_a_table_of_settings_decides_some_row(judged: dict[Row, Judgement]) -> None:
    decided = {each for row, one in judged.items() if row.where == "table" for each in one.applied}
    on = deployed("table")
    owners = ("ChangeSettings", "SettingsKey", "NetworkEndpointsKms", "NetworkEndpointsDynamoDb")
    whole = [on.called(owner) for owner in owners]
    about = {"ReadSettings", "UseTableKey", "DecryptSecretIds"}
    statements = {
        (name, index)
        for name, policy in on.policies().items()
        for index, statement in enumerate(policy["Statement"])
        if name.split("/")[1].split(".")[0] in whole or statement.get("Sid") in about
    }
    assert len(statements) == 9
    assert statements <= decided


@pytest.mark.parametrize("where", ENVIRONMENTS)
def test_every_kind_of_policy_is_there(where: str) -> None:
    kinds = {name.rsplit(".", 1)[1] for name in policies(where)}
    assert kinds == {"AssumeRolePolicyDocument", "KeyPolicy", "PolicyDocument"}
    owners = {name.split(".")[0].split("/")[1] for name in policies(where)}
    on = deployed(where)
    for type_ in (
        "AWS::IAM::Role",
        "AWS::IAM::ManagedPolicy",
        "AWS::IAM::Policy",
        "AWS::SQS::QueuePolicy",
        "AWS::S3::BucketPolicy",
        "AWS::KMS::Key",
        "AWS::EC2::VPCEndpoint",
    ):
        assert set(on.named(type_)) <= owners, type_


def actions(statement: dict[str, Any]) -> list[str]:
    found = statement["Action"]
    return found if isinstance(found, list) else [found]


def resources(statement: dict[str, Any]) -> list[str]:
    found = statement.get("Resource", [])  # a trust policy has none
    return found if isinstance(found, list) else [found]


@pytest.mark.parametrize("where", ENVIRONMENTS)
def test_no_statement_of_kinesis_sts_iam_or_kms_has_a_wildcard(where: str) -> None:
    """Neither in its actions nor in its resources; endpoint policies included, key policies' own aside."""
    guarded = 0
    for name, policy in policies(where).items():
        for statement in policy["Statement"]:
            if name.endswith(".KeyPolicy") or not any(
                action.split(":")[0] in ("kinesis", "sts", "iam", "kms", "*") for action in actions(statement)
            ):
                continue
            guarded += 1
            assert "NotAction" not in statement, name
            assert not [text for text in actions(statement) + resources(statement) if "*" in text], name
    assert guarded > 10


@pytest.mark.parametrize("where", ENVIRONMENTS)
def test_only_a_key_policy_and_the_registry_stand_on_every_resource(where: str) -> None:
    wide = {
        (name.split("/")[1].split(".")[0][:-8], *actions(statement))
        for name, policy in policies(where).items()
        for statement in policy["Statement"]
        if "*" in resources(statement) and not name.endswith(".KeyPolicy")
    }
    pull = (
        "ecr:BatchCheckLayerAvailability",
        "ecr:BatchGetImage",
        "ecr:GetAuthorizationToken",
        "ecr:GetDownloadUrlForLayer",
    )
    assert wide == {
        ("ForwarderExecutionRoleDefaultPolicy", "ecr:GetAuthorizationToken"),
        ("NetworkEndpointsEcrApi", *pull),
        ("NetworkEndpointsEcrDocker", *pull),
    }


def without_conditions(on: Deployed) -> Deployed:
    """The same stacks, with each permission granted whatever its conditions, and nothing denied."""
    template: dict[str, Any] = copy.deepcopy(dict(on.template))
    for statement in statements_in(template["Resources"]):
        if statement["Effect"] == "Allow":
            statement.pop("Condition", None)
        else:
            statement["Condition"] = {"StringEquals": {"aws:PrincipalAccount": "000000000000"}}
    beside = {name: without_conditions(stack) for name, stack in on.beside.items()}
    return replace(on, template=template, beside=beside)


def statements_in(value: Any) -> Iterator[dict[str, Any]]:
    if isinstance(value, dict):
        if "Effect" in value:
            yield value
        for one in value.values():
            yield from statements_in(one)
    elif isinstance(value, list):
        for one in value:
            yield from statements_in(one)


@needs_engine
def test_what_the_conditions_refuse_is_allowed_once_they_are_gone() -> None:
    """So it is they that refuse, not a request that could never have been allowed."""
    refused = [row for row in TABLE if row.verdict != ALLOWED]
    anew = verdicts([row.request(without_conditions(deployed(row.where))) for row in refused])
    opened = {row for row, verdict in zip(refused, anew, strict=True) if verdict == ALLOWED}
    assert {row.action for row in opened} >= {
        "sts:AssumeRole",  # as the task role, as the delivery role, as a role of another account
        "kms:Decrypt",
        "kms:GenerateDataKey",
        "kinesis:PutRecords",
        "sqs:SendMessage",
        "s3:PutObject",
        "s3:GetObject",
        "s3:ListBucket",
        "logs:PutLogEvents",
        "ecr:BatchGetImage",
    }
    assert {row.through for row in opened} >= {"", "Sts", "KinesisStreams", "Logs", "EcrApi", "EcrDocker"}
    assert {row for row in refused if row.verdict == FORBIDDEN} <= opened
    wrong_id = [
        row
        for row in refused
        if row.caller == "{task}"
        and row.resource in ("{delivery}", "{task}")
        and not row.through
        and row.action == "sts:AssumeRole"
    ]
    assert wrong_id
    assert set(wrong_id) <= opened
