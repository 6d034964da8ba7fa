"""The audiences' table, as a policy engine judges it on the synthesized templates."""

import copy
import json
from dataclasses import replace
from typing import Any

import pytest

from tests.policies.audience_table import NAME, TABLE, Row, deployed, described, forwarder
from tests.policies.deployed import Deployed, Policy
from tests.policies.engine import ALLOWED, ENGINE, Judgement, judgements, verdicts
from tests.policies.test_forwarder import actions, resources, statements_in

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


def statements() -> dict[tuple[str, int], dict[str, Any]]:
    """Each statement of the audiences' stack, and of the forwarder's those that name its task role."""
    beside = {name: policy for name, policy in forwarder().policies().items() if names_the_task_role(policy)}
    return {
        (name, index): statement
        for name, policy in {**deployed().policies(), **beside}.items()
        for index, statement in enumerate(policy["Statement"])
        if name not in beside or names_the_task_role(statement)
    }


def names_the_task_role(value: Policy) -> bool:
    return f"role/headgate-{NAME}-audiences" in json.dumps(value)


@needs_engine
def test_every_statement_decides_some_row(judged: dict[Row, Judgement]) -> None:
    decided = {each for one in judged.values() for each in one.applied}
    found = statements()
    assert {name.split("/")[0] for name, _ in found} == {"audiences", "forwarder"}
    assert len(found) > 25
    undecided = {each: found[each].get("Sid") for each in found.keys() - decided}
    assert undecided == {}


def test_no_statement_of_kinesis_sts_iam_or_kms_has_a_wildcard() -> None:
    guarded = 0
    for (name, _), statement in statements().items():
        services = {action.split(":")[0] for action in actions(statement)}
        if name.endswith(".KeyPolicy") or not services & {"kinesis", "sts", "iam", "kms", "*"}:
            continue
        guarded += 1
        assert "NotAction" not in statement, name
        assert not [text for text in actions(statement) + resources(statement) if "*" in text], name
    assert guarded >= 8


def without_conditions(on: Deployed) -> Deployed:
    """The same stacks, with each permission granted whatever its conditions."""
    template: dict[str, Any] = copy.deepcopy(dict(on.template))
    for statement in statements_in(template["Resources"]):
        if statement["Effect"] == "Allow":
            statement.pop("Condition", None)
    beside = {name: without_conditions(stack) for name, stack in on.beside.items()}
    return replace(on, template=template, beside=beside)


@needs_engine
def test_what_the_conditions_refuse_is_allowed_once_they_are_gone() -> None:
    refused = [row for row in TABLE if row.verdict != ALLOWED]
    anew = verdicts([row.request(without_conditions(deployed())) for row in refused])
    opened = {row.action for row, verdict in zip(refused, anew, strict=True) if verdict == ALLOWED}
    assert opened >= {
        "sts:AssumeRole",
        "ecs:RunTask",
        "iam:PassRole",
        "kms:Decrypt",
        "s3:ListBucket",
        "s3:PutObject",
        "sqs:SendMessage",
    }
