"""The order of a check: what is asked, what is left out, and what it takes."""

from collections.abc import Callable, Iterator

import botocore.session
import pytest

from headgate.checking.check import Check
from headgate.checking.outcomes import Step
from headgate.settings.schema import Destination, Source
from headgate.testing import FailRequests, FakeKinesis
from tests.clock import Clock

ROLE = "arn:aws:iam::123456789012:role/writer"
SOURCE_ID, SECRET_ID = "8kf3Qw2LpZ", "kF9-a-secret"

Make = Callable[..., list[Step]]


@pytest.fixture
def kinesis() -> Iterator[FakeKinesis]:
    with FakeKinesis(streams={"events": 2}) as kinesis:
        kinesis.identities.add_role(ROLE, external_ids=[SOURCE_ID])
        kinesis.identities.simulate({"kinesis:PutRecord": "allowed", "kinesis:PutRecords": "allowed"})
        yield kinesis


@pytest.fixture
def check(kinesis: FakeKinesis, monkeypatch: pytest.MonkeyPatch) -> Make:
    for name, value in kinesis.environment().items():
        monkeypatch.setenv(name, value)

    def steps(*, put: bool = False, **settings: object) -> list[Step]:
        destination = Destination(**{"stream_name": "events", "role_address": ROLE} | settings)  # type: ignore[arg-type]
        source = Source(id=SOURCE_ID, write_keys=("wk_1",), destinations=(destination,))
        session = botocore.session.get_session()
        return [*Check(session, source, destination, put_too=put).steps(lambda _: None)]

    return steps


def states(steps: list[Step]) -> dict[str, str]:
    return {step.name: step.outcome.state for step in steps}


def test_the_steps_are_made_in_their_order(check: Make) -> None:
    steps = check(put=True)
    assert {*states(steps).values()} == {"ok"}
    order = ["settings", "region", "caller", "role", "trust", "stream", "permissions", "key", "put"]
    assert [step.name for step in steps] == order


def test_without_a_role_there_is_none_to_assume_or_to_trust(check: Make, kinesis: FakeKinesis) -> None:
    kinesis.identities.clear()
    steps = check(role_address=None)
    assert [step.name for step in steps] == ["settings", "region", "caller", "stream", "permissions", "key"]
    assert not kinesis.ledger.calls["AssumeRole"]


def test_a_role_is_tried_without_an_external_id_and_with_one_only_after_it_let_in(
    check: Make, kinesis: FakeKinesis
) -> None:
    check()
    sent = [given.external_id for given in kinesis.identities.given]
    assert (sent, kinesis.ledger.calls["AssumeRole"]) == ([SOURCE_ID], 3)


def test_a_role_that_refuses_is_tried_with_the_source_id_in_the_secret_ids_place_and_no_more(
    check: Make, kinesis: FakeKinesis
) -> None:
    steps = check(secret_id=SECRET_ID)
    assert states(steps)["role"] == "failed"
    assert [given.external_id for given in kinesis.identities.given] == [SOURCE_ID]
    assert kinesis.ledger.calls["AssumeRole"] == 2
    kinesis.identities.distrust(ROLE)
    assert states(check())["role"] == "failed"
    assert kinesis.ledger.calls["AssumeRole"] == 3


def test_a_role_that_refuses_nobody_is_wrong_and_the_rest_is_told_too(
    check: Make, kinesis: FakeKinesis
) -> None:
    kinesis.identities.add_role(ROLE, external_ids=None)
    found = states(check(put=True))
    assert found.pop("trust") == "failed"
    assert {*found.values()} == {"ok"}


def test_an_sts_that_fails_in_between_leaves_the_trust_unknown(
    check: Make, kinesis: FakeKinesis, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    deny = FailRequests(code="Throttling", operations=("AssumeRole",))
    assume = kinesis.identities.assume

    def first_only(*arguments: object) -> object:
        kinesis.faults.add(deny)
        return assume(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(kinesis.identities, "assume", first_only)
    assert states(check())["trust"] == "unknown"


@pytest.mark.parametrize(
    ("settings", "wrong", "made"),
    [
        ({"region": "moon-base-1"}, "region", 2),
        ({"secret_id": SECRET_ID}, "role", 4),
        ({"stream_name": "evnets"}, "stream", 6),
    ],
)
def test_what_needs_a_step_that_is_wrong_is_skipped_and_names_it(
    check: Make, settings: dict[str, str], wrong: str, made: int
) -> None:
    steps = check(put=True, **settings)
    assert [step.name for step in steps if step.outcome.state == "failed"] == [wrong]
    assert all(step.outcome.state != "skipped" for step in steps[:made])
    assert {(step.outcome.state, step.outcome.detail, step.seconds) for step in steps[made:]} == {
        ("skipped", f"needs {wrong}", 0.0)
    }


def test_a_put_needs_that_it_is_allowed(check: Make, kinesis: FakeKinesis) -> None:
    kinesis.identities.simulate({})
    found = states(check(put=True))
    assert (found["permissions"], found["put"]) == ("failed", "skipped")
    assert not kinesis.ledger.calls["PutRecords"]


def test_a_service_that_does_not_take_dry_run_is_sent_the_event_without_it(
    check: Make, kinesis: FakeKinesis
) -> None:
    unknown_member = FailRequests(code="SerializationException", operations=("PutRecords",), times=1)
    kinesis.faults.add(unknown_member)
    put = check(put=True)[-1]
    assert put.outcome.state == "ok"
    [record] = kinesis.ledger.records()
    assert record.sequence_number in put.outcome.detail
    assert "read back" in put.outcome.detail


def test_each_step_that_is_made_is_announced_and_timed(kinesis: FakeKinesis, check: Make) -> None:
    clock, begun = Clock(100.0), []
    destination = Destination(stream_name="evnets")
    source = Source(id=SOURCE_ID, write_keys=("wk_1",), destinations=(destination,))
    kinesis.identities.clear()

    def ticking() -> float:
        clock.now += 1.5
        return clock.now

    session = botocore.session.get_session()
    made = Check(session, source, destination, put_too=False, clock=ticking)
    steps = [*made.steps(begun.append)]
    assert begun == ["settings", "region", "caller", "stream"]
    assert [step.seconds for step in steps] == [1.5, 1.5, 1.5, 1.5, 0.0, 0.0]
