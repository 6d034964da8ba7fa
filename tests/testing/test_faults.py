"""Which faults strike whom, how often and how long."""

import threading
from typing import Any

import pytest

from headgate.testing import (
    CutAnswer,
    Delay,
    FailRecords,
    FailRequests,
    Faults,
    LoggedRequest,
    Outage,
    RecordFacts,
)
from tests.clock import Clock


@pytest.fixture
def clock() -> Clock:
    return Clock(1_000.0)


@pytest.fixture
def faults(clock: Clock) -> Faults:
    return Faults(seed=1, clock=clock, lock=threading.RLock())


def request(operation: str = "PutRecords", stream: str = "events", **more: Any) -> LoggedRequest:
    members = {"service": "kinesis", "form": "json", "request_id": "r", "body_bytes": 0} | more
    return LoggedRequest(operation=operation, stream=stream, **members)


def record(key: str = "u1", shard: str = "shardId-000000000000", data: bytes = b"{}") -> RecordFacts:
    return RecordFacts("events", shard, key, data)


def strikes(faults: Faults, asked: LoggedRequest) -> bool:
    return faults.strike_request(asked)[1] is not None


def test_a_fault_strikes_its_stream_operations_and_key_alone(faults: Faults) -> None:
    faults.add(FailRequests(stream="events", operations=("PutRecords",), access_key="AKIA1"))
    assert strikes(faults, request(access_key="AKIA1"))
    assert not strikes(faults, request(access_key="AKIA2"))
    assert not strikes(faults, request("PutRecord", access_key="AKIA1"))
    assert not strikes(faults, request(stream="others", access_key="AKIA1"))


def test_sts_is_struck_where_it_is_named_and_in_an_outage(faults: Faults) -> None:
    assume = request("AssumeRole", "", service="sts")
    with faults.add(FailRequests()):
        assert not strikes(faults, assume)
    with faults.add(FailRequests(operations=("AssumeRole",))):
        assert strikes(faults, assume)
    with faults.add(Outage()):
        assert strikes(faults, assume)


def test_a_fault_ends_after_its_times(faults: Faults) -> None:
    active = faults.add(FailRequests(times=2))
    assert [strikes(faults, request()) for _ in range(4)] == [True, True, False, False]
    assert active.struck == 2


def test_a_fault_ends_after_its_time(faults: Faults, clock: Clock) -> None:
    faults.add(FailRequests(lasting=5))
    clock.now += 4.9
    assert strikes(faults, request())
    clock.now += 0.1
    assert not strikes(faults, request())


def test_a_lifted_fault_strikes_no_more(faults: Faults) -> None:
    with faults.add(CutAnswer()) as active:
        assert faults.active == [active]
        assert strikes(faults, request())
    assert not strikes(faults, request())
    active.lift()
    faults.add(CutAnswer())
    faults.add(FailRecords())
    faults.clear()
    assert faults.active == []
    assert not faults.on_records


def test_chance_repeats_with_its_seed(clock: Clock) -> None:
    def run() -> list[bool]:
        faults = Faults(seed=7, clock=clock, lock=threading.RLock())
        faults.add(FailRequests(probability=0.3))
        return [strikes(faults, request()) for _ in range(1_000)]

    first = run()
    assert first == run()
    assert 200 < sum(first) < 400


def test_delays_add_up_and_another_fault_strikes_beside_them(faults: Faults) -> None:
    faults.add(Delay(0.5))
    faults.add(FailRequests("KMSThrottlingException"))
    faults.add(FailRequests("InternalFailure"))
    faults.add(Delay((1.0, 2.0)))
    wait, wrong = faults.strike_request(request())
    assert 1.5 <= wait <= 2.5
    assert isinstance(wrong, FailRequests)
    assert wrong.code == "KMSThrottlingException"


def test_a_fault_that_is_not_reached_is_not_used_up(faults: Faults) -> None:
    faults.add(FailRequests("InternalFailure", times=1))
    second = faults.add(FailRequests("KMSThrottlingException", times=1))
    strikes(faults, request())
    assert second.struck == 0


def test_records_fail_by_key_shard_and_predicate(faults: Faults) -> None:
    asked = request()
    with faults.add(FailRecords(partition_key="u1")):
        assert faults.strike_record(asked, record("u1"))
        assert not faults.strike_record(asked, record("u2"))
    with faults.add(FailRecords(shard_id="shardId-000000000003")):
        assert not faults.strike_record(asked, record())
        assert faults.strike_record(asked, record(shard="shardId-000000000003"))
    with faults.add(FailRecords(), where=lambda one: b"poison" in one.data):
        assert not faults.strike_record(asked, record())
        assert faults.strike_record(asked, record(data=b'{"poison":1}'))
    assert not faults.strike_record(asked, record())


@pytest.mark.parametrize(
    ("members", "says"),
    [
        ({"operations": "PutRecords"}, "not the one string 'PutRecords'"),
        ({"operations": ("PutRecord", "PutRecrods")}, "no operation 'PutRecrods' is known"),
        ({"probability": 1.2}, "a probability is 0 to 1, not 1.2"),
    ],
)
def test_a_fault_that_could_never_strike_as_meant_is_refused(members: dict[str, Any], says: str) -> None:
    with pytest.raises(ValueError, match=says):
        FailRequests(**members)


def test_a_predicate_is_about_records(faults: Faults) -> None:
    with pytest.raises(ValueError, match="Delay is about requests"):
        faults.add(Delay(1), where=lambda _: True)
