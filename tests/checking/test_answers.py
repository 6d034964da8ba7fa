"""What a refusal tells, in AWS's own words (IAM user guide, troubleshooting access denied messages)."""

import pytest

from headgate.checking.answers import Refused

BEFORE = (
    "User: arn:aws:iam::123456789012:user/JohnDoe is not authorized to perform: codecommit:ListRepositories"
)


@pytest.mark.parametrize(
    ("said", "because"),
    [
        ("", None),
        (
            " because no identity-based policy allows the codecommit:ListRepositories action",
            "no identity-based policy allows it",
        ),
        (
            " because no service control policy allows the codecommit:ListRepositories action",
            "no service control policy allows it",
        ),
        (
            " because no permissions boundary allows the codecommit:ListRepositories action",
            "no permissions boundary allows it",
        ),
        (
            " on resource: arn:aws:s3:::x with an explicit deny in a service control policy",
            "an explicit deny (service control policy)",
        ),
        (
            " with an explicit deny in an identity-based policy: arn:aws:iam::123456789012:policy/p",
            "an explicit deny (identity-based policy)",
        ),
        (" with an explicit deny", "an explicit deny (policy)"),
    ],
)
def test_the_kind_of_policy_that_denied_is_told_where_aws_tells_it(said: str, because: str | None) -> None:
    refused = Refused("AccessDenied", BEFORE + said)
    assert refused.because == because
    assert refused.explicit is ("explicit deny" in said)


@pytest.mark.parametrize("code", ["AccessDenied", "AccessDeniedException"])
def test_a_missing_permission_has_two_names(code: str) -> None:
    assert Refused(code, "").denied
    assert not Refused("Throttling", "").denied
