"""What STS and IAM said, and what it means, where the embedded AWS cannot be made to say it."""

from typing import Any

import pytest

from headgate.checking.answers import Refused
from headgate.checking.identity import (
    Attempt,
    bad_credentials,
    caller,
    role_refused,
    trust_read,
    trust_tested,
)
from headgate.checking.outcomes import Outcome
from headgate.checking.trust import Opening, Reading

ROLE = "arn:aws:iam::111122223333:role/writer"
CALLER = "arn:aws:iam::444455556666:user/forwarder"
ID = "kF9-a-secret"
DENIED = Refused(
    "AccessDenied", f"User: {CALLER} is not authorized to perform: sts:AssumeRole on resource: {ROLE}"
)


def attempt(**more: Any) -> Attempt:
    known = {
        "role": ROLE,
        "region": "us-west-2",
        "external_id": ID,
        "sent": "the Secret ID",
        "is_secret": True,
    }
    return Attempt(**known | {"caller": CALLER} | more)


def refused(said: Refused = DENIED, **more: Any) -> Outcome:
    outcome = role_refused(attempt(**more), said)
    assert outcome.state == "failed"
    assert outcome.fix
    assert ID not in outcome.line
    return outcome


@pytest.mark.parametrize(
    ("code", "message", "said"),
    [
        ("ExpiredToken", "The security token included in the request is expired", "have expired"),
        ("InvalidClientTokenId", "The security token included in the request is invalid.", "does not know"),
        ("SignatureDoesNotMatch", "The request signature we calculated does not match", "not that of"),
        (
            "SignatureDoesNotMatch",
            "Signature expired: 20261124T100000Z is now earlier than",
            "clock is wrong",
        ),
        ("InvalidSignatureException", "Signature not yet current: 20261124T100000Z", "clock is wrong"),
        ("NoCredentials", "", "no AWS credentials"),
    ],
)
def test_credentials_that_are_no_good_are_told_apart(code: str, message: str, said: str) -> None:
    outcome = bad_credentials(Refused(code, message))
    assert outcome is not None
    assert outcome.state == "failed"
    assert said in outcome.detail
    assert refused(Refused(code, message)) == outcome


def test_a_refusal_for_another_reason_is_not_the_credentials() -> None:
    assert bad_credentials(DENIED) is None


def test_who_asks_is_wrong_only_where_delivery_needs_sts() -> None:
    unreachable = Refused("ConnectTimeoutError", "Connect timeout on endpoint URL", answered=False)
    assert caller(CALLER, "us-west-2", needs_sts=True).state == "ok"
    assert caller(unreachable, "us-west-2", needs_sts=True).state == "failed"
    assert caller(unreachable, "us-west-2", needs_sts=False).state == "unknown"
    assert (
        caller(Refused("AccessDenied", "by the VPC endpoint"), "us-west-2", needs_sts=True).state == "unknown"
    )
    assert caller(Refused("ExpiredToken", ""), "us-west-2", needs_sts=False).state == "failed"


def test_a_bare_denial_names_the_three_and_the_caller() -> None:
    line = refused().line
    for named in (ROLE, CALLER, "no such role", "trust policy without the caller", "another External ID"):
        assert named in line


def test_the_hint_is_the_reverse_of_what_was_sent() -> None:
    assert "take secret_id out" in refused().line
    assert "give it as secret_id" in refused(is_secret=False, sent="the source ID").line


@pytest.mark.parametrize(
    ("said", "more", "named"),
    [
        (DENIED, {"source_id_lets_in": True}, "expects the source ID"),
        (DENIED, {"caller": "arn:aws:iam::444455556666:root"}, "root user cannot assume a role"),
        (DENIED, {"caller": "arn:aws:sts::111122223333:assumed-role/writer/me"}, "a session of"),
        (
            Refused("AccessDenied", "... with an explicit deny in a service control policy"),
            {},
            "service control",
        ),
        (Refused("RegionDisabledException", "STS is not activated in this region"), {}, "not enabled"),
        (Refused("EndpointConnectionError", "Could not connect", answered=False), {}, "no answer from STS"),
        (Refused("ValidationError", "1 validation error detected"), {}, "ValidationError: 1 validation"),
        (DENIED, {"policy": Refused("NoSuchEntity", "")}, "there is no role"),
    ],
)
def test_what_is_certain_is_said_alone(said: Refused, more: dict[str, Any], named: str) -> None:
    line = refused(said, **more).line
    assert named in line
    assert "does not say which" not in line


def test_that_no_resource_policy_allows_it_says_no_more_than_a_bare_denial() -> None:
    said = Refused("AccessDenied", "because no resource-based policy allows the sts:AssumeRole action")
    assert refused(said).detail == refused().detail


def test_a_policy_that_may_not_be_read_says_nothing() -> None:
    assert refused(policy=Refused("AccessDenied", "")).detail == refused().detail


def test_where_the_trust_policy_lets_in_something_else_denies() -> None:
    statement = {
        "Effect": "Allow",
        "Principal": {"AWS": CALLER},
        "Action": "sts:AssumeRole",
        "Condition": {"StringEquals": {"sts:ExternalId": ID}},
    }
    assert "something else denies" in refused(policy={"Statement": statement}).line


@pytest.mark.parametrize(
    ("without", "at_random", "state"),
    [
        (False, False, "ok"),
        (True, True, "failed"),
        (True, None, "failed"),
        (False, True, "failed"),
        (None, False, "unknown"),
        (False, None, "unknown"),
    ],
)
def test_an_attempt_that_was_let_in_is_wrong_and_one_without_an_answer_unknown(
    without: bool | None, at_random: bool | None, state: str
) -> None:
    assert trust_tested(ROLE, without, at_random).state == state


def test_an_opening_is_wrong_and_names_whom_it_lets_in() -> None:
    assert trust_read(Reading((), clear=True), ROLE).state == "ok"
    outcome = trust_read(Reading((Opening("*", "2", any_id=True),), clear=False), ROLE)
    assert outcome.state == "failed"
    assert (
        outcome.detail == f"statement 2 of the trust policy of {ROLE} lets in everybody under any External ID"
    )
