"""The table, as a policy engine judges it on the synthesized templates."""

import copy
from dataclasses import replace
from typing import Any

import pytest

from tests.policies.deployed import Deployed
from tests.policies.engine import ALLOWED, DENIED, ENGINE, verdicts
from tests.policies.table import (
    ANOTHER_STREAM,
    OTHER_ENDPOINT,
    SEGMENT,
    TABLE,
    Row,
    assumes,
    deployed,
    described,
    does,
)

pytestmark = pytest.mark.skipif(
    not ENGINE.is_dir(), reason="@cloud-copilot/iam-simulate is not installed: make setup"
)


@pytest.fixture(scope="module")
def judged() -> dict[Row, str]:
    return dict(zip(TABLE, verdicts([row.request() for row in TABLE]), strict=True))


@pytest.mark.parametrize("row", TABLE, ids=described)
def test_the_engine_judges_as_the_table_says(judged: dict[Row, str], row: Row) -> None:
    assert judged[row] == row.verdict


def test_the_table_is_whole() -> None:
    assert len(set(TABLE)) == len(TABLE) >= 60


def test_a_hole_in_a_policy_is_seen() -> None:
    """The same refused requests are allowed once what refuses them is gone, so it is this that refuses."""

    def without(where: str, type_: str, document: str) -> Deployed:
        on = deployed(where)
        template: dict[str, Any] = copy.deepcopy(dict(on.template))
        for statement in template["Resources"][on.only(type_)]["Properties"][document]["Statement"]:
            statement.pop("Condition", None)
        return replace(on, template=template)

    open_trust = without("dev", "AWS::IAM::Role", "AssumeRolePolicyDocument")
    open_policy = without("forwarder", "AWS::IAM::ManagedPolicy", "PolicyDocument")
    open_key = without("prod", "AWS::IAM::ManagedPolicy", "PolicyDocument")
    refused = [
        (assumes("dev", SEGMENT, None, DENIED), open_trust),
        (does("forwarder", "kinesis:PutRecords", "{stream}", DENIED, endpoint=OTHER_ENDPOINT), open_policy),
        (does("prod", "kms:GenerateDataKey", "{key}", DENIED, encrypts=ANOTHER_STREAM), open_key),
    ]
    assert {row for row, _ in refused} <= set(TABLE)
    assert verdicts([row.request(on) for row, on in refused]) == [ALLOWED] * 3
