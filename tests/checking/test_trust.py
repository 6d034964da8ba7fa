"""Trust policies as they are read, and as a policy engine that shares no code with it judges them."""

import itertools
from collections.abc import Iterable, Mapping
from typing import Any

import pytest

from headgate.checking.policies import Lets
from headgate.checking.trust import Opening, deleted, lets_in, names, read
from tests.policies.deployed import Deployed
from tests.policies.engine import ALLOWED, ENGINE, Request, verdicts

OWNER, WRITER = "111122223333", "444455556666"
ROLE = f"arn:aws:iam::{OWNER}:role/customers/writer"
USER = f"arn:aws:iam::{WRITER}:user/forwarder"
SESSION = f"arn:aws:sts::{WRITER}:assumed-role/forwarder/task-1"
STRANGER = "arn:aws:iam::777788889999:user/stranger"
ID = "8kf3Qw2LpZ"

Policy = Mapping[str, Any]


def policy(*statements: Policy) -> dict[str, Any]:
    return {"Version": "2012-10-17", "Statement": list(statements)}


def allow(principal: Any = USER, condition: Policy | None = None, **more: Any) -> dict[str, Any]:
    who = {"AWS": principal} if isinstance(principal, str | list) and principal != "*" else principal
    statement = {"Effect": "Allow", "Principal": who, "Action": "sts:AssumeRole"} | more
    return statement if condition is None else statement | {"Condition": condition}


def sent(test: str, value: Any = ID) -> dict[str, Any]:
    return {test: {"sts:ExternalId": value}}


def conditions() -> Iterable[Policy]:
    tests = [
        f"{quantifier}String{kind}{if_exists}"
        for quantifier in ("", "ForAnyValue:", "ForAllValues:")
        for kind in ("Equals", "NotEquals", "EqualsIgnoreCase", "NotEqualsIgnoreCase", "Like", "NotLike")
        for if_exists in ("", "IfExists")
    ]
    values = (ID, [ID, "another"], "*", "8kf*", "8KF3qw2lpz", "8kf3Qw2Lp?", "[8]kf3Qw2LpZ")
    yield from (sent(test, value) for test, value in itertools.product(tests, values))
    yield from (sent("Null", value) for value in ("true", "false"))
    yield sent("StringEquals") | sent("Null", "false")
    yield {"StringEquals": {"STS:externalid": ID}}


def policies() -> Iterable[Policy]:
    for condition in conditions():
        yield policy(allow(condition=condition))
        yield policy(allow(), allow(Effect="Deny", principal="*", condition=condition))
    for principal in (WRITER, f"arn:aws:iam::{WRITER}:root", USER, SESSION, "*", [STRANGER, USER], STRANGER):
        yield policy(allow(principal, sent("StringEquals")))
        yield policy(allow(principal), allow(Effect="Deny", principal=STRANGER))
    yield policy(allow(f"arn:aws:iam::{WRITER}:role/ecs/forwarder", sent("StringEquals")))
    yield policy(allow(), allow(condition=sent("StringEquals")))
    yield policy(allow({"Service": "ec2.amazonaws.com"}))
    for actions in (
        "sts:*",
        "sts:Assume*",
        ["sts:TagSession", "sts:AssumeRole"],
        "sts:TagSession",
        "STS:ASSUMEROLE",
    ):
        yield policy(allow(Action=actions))
    yield {"Version": "2012-10-17", "Statement": allow(condition=sent("StringEquals"))}


@pytest.mark.skipif(not ENGINE.is_dir(), reason="@cloud-copilot/iam-simulate is not installed: make setup")
def test_the_reading_agrees_with_a_policy_engine() -> None:
    on = Deployed({}, OWNER)
    cases = [
        (each, arn, external_id)
        for each in policies()
        for arn in (USER, STRANGER)
        for external_id in (None, ID, "another", "8KF3QW2LPZ")
    ]
    anything = {"Effect": "Allow", "Action": "*", "Resource": "*"}
    requests = [
        Request(
            deployed=on,
            principal=arn,
            action="sts:AssumeRole",
            resource=ROLE,
            context={} if external_id is None else {"sts:ExternalId": external_id},
            identity=[{"name": "callers", "policy": policy(anything)}],
            resource_policy=each,
        )
        for each, arn, external_id in cases
    ]
    differ = [
        (case, verdict, read_as)
        for case, verdict in zip(cases, verdicts(requests), strict=True)
        if (read_as := lets_in(*case)) is not (Lets.YES if verdict == ALLOWED else Lets.NO)
        and not (read_as is Lets.UNCLEAR and "ForAnyValue" in str(case) and "IfExists" in str(case))
    ]
    assert not differ, f"{len(differ)} of {len(cases)}: {differ[:5]}"


@pytest.mark.parametrize(
    ("statements", "who", "any_id"),
    [
        ([allow()], USER, False),
        ([allow(condition=sent("StringLike", "*"))], USER, True),
        ([allow(condition=sent("StringEqualsIfExists"))], USER, False),
        ([allow(condition=sent("Null", "false"))], USER, True),
        ([allow(condition=sent("StringEquals")), allow(WRITER)], USER, False),
        ([allow("*")], "*", False),
        ([allow(condition=sent("StringEquals")), allow(STRANGER)], STRANGER, False),
        ([{"Effect": "Allow", "NotPrincipal": {"AWS": STRANGER}, "Action": "sts:AssumeRole"}], "*", False),
        ([{"Effect": "Allow", "Principal": "*", "NotAction": "sts:TagSession"}], "*", False),
    ],
)
def test_a_statement_that_asks_for_no_external_id_is_an_opening(
    statements: list[Policy], who: str, any_id: bool
) -> None:
    opening = Opening(who, str(len(statements)), any_id=any_id)
    assert read(policy(*statements), USER, ROLE).openings[0] == opening


@pytest.mark.parametrize(
    "statements",
    [
        [allow(condition=sent("StringEquals"))],
        [allow(condition=sent("StringEquals", [ID, "another"]))],
        [allow(condition=sent("StringEquals")), allow(OWNER), allow(f"arn:aws:iam::{OWNER}:role/admin")],
        [allow(condition=sent("StringEquals")), allow({"Service": "ec2.amazonaws.com"})],
        [allow(condition=sent("StringEquals")), allow(Action="sts:TagSession")],
        [allow(), allow(Effect="Deny", principal="*", condition=sent("StringNotEquals"))],
    ],
)
def test_what_asks_for_one_and_what_is_the_owners_own_affair_is_none(statements: list[Policy]) -> None:
    reading = read(policy(*statements), USER, ROLE)
    assert (reading.openings, reading.clear) == ((), True)


@pytest.mark.parametrize(
    "statement",
    [
        allow(condition={"IpAddress": {"aws:SourceIp": "192.0.2.0/24"}}),
        allow(condition=sent("StringEquals", "${aws:PrincipalTag/customer}")),
        allow(condition=sent("ForAnyValue:StringEqualsIfExists")),
        allow(condition=sent("ArnLike")),
    ],
)
def test_what_hangs_on_more_than_the_external_id_is_left_to_an_attempt(statement: Policy) -> None:
    reading = read(policy(statement), USER, ROLE)
    assert (reading.openings, reading.clear) == ((), False)


def test_an_external_id_beside_another_condition_is_clear_where_it_is_wrong() -> None:
    both = allow(condition=sent("StringEquals") | {"IpAddress": {"aws:SourceIp": "192.0.2.0/24"}})
    assert read(policy(both), USER, ROLE).clear
    assert lets_in(policy(both), USER, ID) is Lets.UNCLEAR


def test_a_session_is_named_by_its_role_whatever_the_path() -> None:
    by_role = policy(allow(f"arn:aws:iam::{WRITER}:role/ecs/forwarder", sent("StringEquals")))
    assert names(by_role, SESSION)
    assert lets_in(by_role, SESSION, ID) is Lets.YES
    assert not names(by_role, f"arn:aws:sts::{WRITER}:assumed-role/another/task-1")
    assert not names(by_role, USER)


def test_a_deleted_principal_is_an_id() -> None:
    assert deleted(policy(allow("AROA4029D4D773AE4045B"), allow(USER))) == ["AROA4029D4D773AE4045B"]


def test_the_statement_is_told_by_its_sid() -> None:
    reading = read(policy(allow(condition=sent("StringEquals")), allow(Sid="Debugging")), USER, ROLE)
    assert [opening.statement for opening in reading.openings] == ["'Debugging'"]
