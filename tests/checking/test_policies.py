"""Whom a key's own policy lets use it."""

from typing import Any

import pytest

from headgate.checking.policies import Lets, key_lets

ROLE = "arn:aws:iam::111122223333:role/writer"


def allow(principal: Any = ROLE, actions: Any = "kms:GenerateDataKey", **more: Any) -> dict[str, Any]:
    return {"Effect": "Allow", "Principal": {"AWS": principal}, "Action": actions, "Resource": "*"} | more


VIA = {"Condition": {"StringEquals": {"kms:ViaService": "kinesis.us-west-2.amazonaws.com"}}}


@pytest.mark.parametrize(
    ("statements", "lets"),
    [
        ([], Lets.NO),
        ([allow("arn:aws:iam::111122223333:root", "kms:*")], Lets.NO),
        ([allow("arn:aws:iam::111122223333:role/another")], Lets.NO),
        ([allow(actions=["kms:Decrypt", "kms:Encrypt"])], Lets.NO),
        ([allow()], Lets.YES),
        ([allow("*", "kms:Generate*")], Lets.YES),
        ([allow(["arn:aws:iam::111122223333:root", ROLE], "kms:*")], Lets.YES),
        ([allow(**VIA)], Lets.UNCLEAR),
        ([allow(**VIA), allow()], Lets.YES),
        ([allow(), allow("*", Effect="Deny", **VIA)], Lets.UNCLEAR),
    ],
)
def test_a_key_lets_whom_it_names_itself(statements: list[dict[str, Any]], lets: Lets) -> None:
    assert key_lets({"Statement": statements}, "kms:GenerateDataKey", ROLE) is lets
