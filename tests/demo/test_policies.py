"""The policies of the demo: those of docs/console.md, and no more for an emulator than it needs."""

import json
import re
from typing import Any

import pytest

from demo.embedded_aws import ROOT
from demo.policies import (
    Estate,
    Statement,
    for_ministack,
    forwarder_policy,
    operator_policy,
    reader_policy,
)

ACCOUNT = "123456789012"
DOCUMENTED = Estate(
    region="us-west-2",
    table=f"arn:aws:dynamodb:us-west-2:{ACCOUNT}:table/headgate-settings",
    key=f"arn:aws:kms:us-west-2:{ACCOUNT}:key/1234abcd-12ab-34cd-56ef-1234567890ab",
    dead_letters=f"arn:aws:sqs:us-west-2:{ACCOUNT}:headgate-dead-letters",
    streams=(f"arn:aws:kinesis:us-west-2:{ACCOUNT}:stream/events",),
    roles=(f"arn:aws:iam::{ACCOUNT}:role/events-writer",),
)


def actions(statements: list[Statement]) -> set[Any]:
    return {action for each in statements for action in each["Action"]}


def test_the_document_shows_what_a_reader_and_an_operator_need() -> None:
    text = (ROOT / "docs/console.md").read_text(encoding="utf-8")
    shown = re.findall(r"```json\n(.*?)\n```", text, re.DOTALL)
    assert [json.loads(each) for each in shown] == [
        {"Version": "2012-10-17", "Statement": policy(DOCUMENTED)}
        for policy in (reader_policy, operator_policy)
    ]
    for statement in (*reader_policy(DOCUMENTED), *operator_policy(DOCUMENTED)):
        assert f"`{statement['Sid']}`" in text


@pytest.mark.parametrize("policy", [forwarder_policy, reader_policy, operator_policy])
def test_every_statement_names_its_actions_and_its_resources(policy: Any) -> None:
    for statement in policy(DOCUMENTED):
        assert "*" not in "".join([*statement["Action"], *statement["Resource"]])
        uses_key = any(each.startswith("kms:") for each in statement["Action"])
        assert uses_key is ("Condition" in statement)


def test_a_reader_may_do_nothing_that_an_operator_may_not() -> None:
    assert actions(reader_policy(DOCUMENTED)) < actions(operator_policy(DOCUMENTED))


def test_for_the_emulator_nothing_is_added_but_what_it_judges_otherwise() -> None:
    before = operator_policy(DOCUMENTED)
    after = for_ministack(before)
    assert actions(after) - actions(before) == {
        "sqs:ChangeMessageVisibilityBatch",
        "sqs:DeleteMessageBatch",
        "sqs:SendMessageBatch",
    }
    assert {each["Sid"] for each in before} - {each["Sid"] for each in after} == {"UseTableKey"}
    assert {each["Sid"] for each in after if each["Resource"] == "*"} == {"ReadStreams", "LookAtRoles"}
