"""What ARNs and principals tell."""

import pytest

from headgate.checking.arns import account_of, covers, is_session_of, name_of, role_of_session

ROLE = "arn:aws:iam::111122223333:role/ecs/tasks/forwarder"
SESSION = "arn:aws:sts::111122223333:assumed-role/forwarder/task-1"


@pytest.mark.parametrize(
    ("principal", "account"),
    [(ROLE, "111122223333"), ("111122223333", "111122223333"), ("*", None), ("AROA4029D4D773AE4045B", None)],
)
def test_the_account_of_a_principal(principal: str, account: str | None) -> None:
    assert account_of(principal) == account


def test_a_role_and_its_sessions() -> None:
    assert name_of(ROLE) == "forwarder"
    assert is_session_of(SESSION, ROLE)
    assert not is_session_of(SESSION, ROLE.replace("111122223333", "444455556666"))
    assert not is_session_of(ROLE, ROLE)
    assert role_of_session(SESSION) == "arn:aws:iam::111122223333:role/forwarder"
    assert role_of_session(ROLE) is None


@pytest.mark.parametrize(
    ("principal", "covered"),
    [
        ("*", True),
        ("111122223333", True),
        ("arn:aws:iam::111122223333:root", True),
        (ROLE, True),
        (SESSION, True),
        ("arn:aws:iam::111122223333:role/another", False),
        ("arn:aws:iam::444455556666:root", False),
        ("AROA4029D4D773AE4045B", False),
    ],
)
def test_whom_a_principal_covers(principal: str, covered: bool) -> None:
    assert covers(principal, SESSION) is covered
