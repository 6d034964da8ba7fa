"""A destination at work: what Kinesis answers, and what becomes of the records."""

import asyncio
import logging
from typing import Any

import pytest

from headgate.delivery.bounds import DeliverySettings
from headgate.delivery.preflight import Found
from headgate.delivery.submission import Refusal
from headgate.delivery.wire.faults import Fault, Verdict
from headgate.testing import Delay, FailRecords, FailRequests, ResetConnection
from tests import virtual_time
from tests.delivery.simulation import Simulation, settled

THROTTLED = "ProvisionedThroughputExceededException"


def sizes(simulation: Simulation) -> list[int]:
    return [len(request) for request in simulation.sent]


def test_records_that_come_together_share_a_request() -> None:
    async def work() -> None:
        simulation = Simulation(4)
        outcomes = await settled(*(simulation.submit(f"user-{number}") for number in range(20)))
        assert all(outcome.unavailable is None for outcome in outcomes)
        assert sizes(simulation) == [20]
        assert simulation.at_rest()

    virtual_time.run(work())


def test_a_full_request_does_not_wait_for_company() -> None:
    async def work() -> None:
        simulation = Simulation(8, settings=DeliverySettings(linger=3_600))
        await settled(simulation.submit(*(f"user-{number}" for number in range(1_200))), within=60)
        assert max(sizes(simulation)) == 500

    virtual_time.run(work())


def test_only_the_records_that_failed_are_sent_again_and_the_request_waits_for_them() -> None:
    async def work() -> None:
        simulation = Simulation()
        simulation.faults.add(FailRecords(code=THROTTLED, partition_key="b", times=2))
        told = simulation.submit("a", "b", "c")
        await asyncio.sleep(0.05)
        assert len(simulation.ledger.records()) == 2
        assert not told.done()
        [outcome] = await settled(told)
        assert (outcome.unavailable, outcome.undeliverable) == (None, {})
        assert sizes(simulation) == [3, 1, 1]
        assert simulation.at_rest()

    virtual_time.run(work())


def test_lanes_fly_in_parallel_and_a_slow_one_holds_up_no_other() -> None:
    async def work() -> None:
        simulation = Simulation(2, lists_shards=True)
        slow = simulation.faults.add(Delay(seconds=2.0, times=1))
        first = simulation.submit("a")  # the first half of the hash space
        await asyncio.sleep(0.1)
        assert slow.struck == 1
        others = [simulation.submit("b") for _ in range(3)]
        await settled(*others, within=1)
        assert not first.done()
        await settled(first)

    virtual_time.run(work())


def test_a_first_failure_of_a_request_is_tried_again_soon_and_an_outage_with_patience() -> None:
    async def work() -> None:
        simulation = Simulation()
        outage = simulation.faults.add(FailRequests(code="InternalFailure"))
        told = simulation.submit("a")
        await asyncio.sleep(60)
        assert 10 < len(simulation.sent) < 40
        outage.lift()
        await settled(told, within=6)
        assert simulation.at_rest()

    virtual_time.run(work())


def test_expired_credentials_are_dropped_and_the_request_is_sent_again_at_once() -> None:
    async def work() -> None:
        simulation = Simulation()
        simulation.faults.add(FailRequests(code="ExpiredTokenException", times=1))
        await settled(simulation.submit("a"), within=0.1)
        assert simulation.forgotten == 1

    virtual_time.run(work())


def test_credentials_that_end_during_an_outage_make_no_wait_longer() -> None:
    async def work() -> None:
        simulation = Simulation()
        simulation.faults.add(FailRequests(code="InternalFailure", times=2))
        simulation.faults.add(FailRequests(code="ExpiredTokenException", times=1))
        simulation.faults.add(FailRequests(code="InternalFailure", times=1))
        simulation.faults.add(FailRequests(code="ExpiredTokenException", times=1))
        await settled(simulation.submit("a"), within=0.6)
        assert len(simulation.sent) == 6

    virtual_time.run(work())


def test_credentials_that_are_refused_again_and_again_are_tried_with_patience() -> None:
    async def work() -> None:
        simulation = Simulation()
        refused = simulation.faults.add(FailRequests(code="ExpiredTokenException"))
        told = simulation.submit("a")
        await asyncio.sleep(60)
        assert 10 < len(simulation.sent) < 40
        refused.lift()
        await settled(told, within=6)

    virtual_time.run(work())


@pytest.mark.parametrize(
    "code", ["ResourceNotFoundException", "KMSDisabledException", "KMSAccessDeniedException"]
)
def test_what_somebody_must_mend_pauses_with_one_log_line_until_a_probe_succeeds(
    code: str, caplog: pytest.LogCaptureFixture
) -> None:
    async def work() -> None:
        simulation = Simulation()
        wrong = simulation.faults.add(FailRequests(code=code))
        outcomes = await settled(simulation.submit("a", "b"), simulation.submit("c"))
        assert [outcome.unavailable.code for outcome in outcomes if outcome.unavailable] == [code, code]
        refused = await settled(*(simulation.submit("a") for _ in range(5)))
        assert all(outcome.unavailable and outcome.unavailable.retry_after for outcome in refused)
        assert len(simulation.sent) == 1
        await asyncio.sleep(2.1)
        probe, other = simulation.submit("a"), simulation.submit("b")
        assert other.done()
        assert not probe.done()
        await settled(probe)
        assert len(simulation.sent) == 2
        wrong.lift()
        await asyncio.sleep(5)
        [outcome] = await settled(simulation.submit("a"))
        assert outcome.unavailable is None
        assert simulation.destination.pause.fault is None
        assert simulation.at_rest()

    with caplog.at_level(logging.INFO):
        virtual_time.run(work())
    told = [(record.levelname, getattr(record, "code", None)) for record in caplog.records]
    assert told == [("ERROR", code), ("INFO", None)]


def test_a_role_that_cannot_be_assumed_pauses_and_kinesis_is_not_asked() -> None:
    async def work() -> None:
        simulation = Simulation()
        simulation.credentials_fault = Fault(Verdict.PAUSE, "AssumeRoleDenied", "assuming a role")
        [outcome] = await settled(simulation.submit("a"))
        assert outcome.unavailable is not None
        assert outcome.unavailable.code == "AssumeRoleDenied"
        assert not simulation.sent
        assert not simulation.destination.singles.on

    virtual_time.run(work())


def test_kms_throttling_waits_and_does_not_pause() -> None:
    async def work() -> None:
        simulation = Simulation()
        simulation.faults.add(FailRequests(code="KMSThrottlingException", times=3))
        [outcome] = await settled(simulation.submit("a"))
        assert outcome.unavailable is None
        assert len(simulation.sent) == 4

    virtual_time.run(work())


def test_denied_put_records_switches_to_singles_and_back_once_the_policy_has_it() -> None:
    async def work() -> None:
        simulation = Simulation(4)
        simulation.denied = {"PutRecords"}
        start = asyncio.get_running_loop().time()
        sent: list[asyncio.Future[Any]] = []

        async def traffic(seconds: float) -> None:
            until = asyncio.get_running_loop().time() + seconds
            while asyncio.get_running_loop().time() < until:
                sent.append(simulation.submit(*(f"user-{number}" for number in range(10)), "user-0"))
                await asyncio.sleep(0.2)

        await traffic(30)
        calls = simulation.ledger.calls
        assert calls["PutRecord"] > 500
        assert simulation.hooks.count("denied") == 1
        simulation.denied = set()
        await traffic(60)
        assert not simulation.destination.singles.on
        assert asyncio.get_running_loop().time() - start < 95
        outcomes = await settled(*sent)
        assert all(outcome.unavailable is None for outcome in outcomes)
        for number in range(10):
            order = simulation.numbers_of(f"user-{number}")
            assert order == sorted(order)
        assert simulation.at_rest()

    virtual_time.run(work())


def test_singles_have_one_record_of_a_key_and_sixteen_keys_of_a_lane_in_flight() -> None:
    async def work() -> None:
        simulation = Simulation(1, lists_shards=True, latency=1.0)
        simulation.denied = {"PutRecords"}
        told = [simulation.submit(*(f"user-{number}" for number in range(40)), "user-0", "user-0")]
        await asyncio.sleep(2.0)
        assert simulation.destination.singles.on
        assert len(simulation.destination.singles.keys) == 16
        await settled(*told)
        order = simulation.numbers_of("user-0")
        assert order == sorted(order)
        assert len(order) == 3

    virtual_time.run(work())


def test_a_role_that_may_put_nothing_pauses() -> None:
    async def work() -> None:
        simulation = Simulation()
        simulation.denied = {"PutRecords", "PutRecord"}
        [outcome] = await settled(simulation.submit("a"))
        assert outcome.unavailable is not None
        assert outcome.unavailable.code == "AccessDeniedException"
        simulation.denied = set()
        await asyncio.sleep(3)
        [outcome] = await settled(simulation.submit("a"))
        assert outcome.unavailable is None
        assert not simulation.destination.singles.on

    virtual_time.run(work())


def test_an_invalid_record_is_found_by_halving_and_takes_no_other_with_it() -> None:
    async def work() -> None:
        simulation = Simulation(4)
        simulation.destination.max_record_size = 3 * 1024 * 1024  # more than the stream takes
        await settled(simulation.submit("first"))
        good = [simulation.submit(f"user-{number}") for number in range(30)]
        [outcome] = await settled(simulation.submit("poison", size=2 * 1024 * 1024))
        assert list(outcome.undeliverable) == [0]
        assert all(
            outcome.unavailable is None and not outcome.undeliverable for outcome in await settled(*good)
        )
        assert len(simulation.ledger.records()) == 31
        assert len(simulation.sent) < 20
        assert simulation.at_rest()

    virtual_time.run(work())


def test_where_every_record_is_refused_it_is_not_the_records_and_the_destination_pauses() -> None:
    async def work() -> None:
        simulation = Simulation()
        simulation.faults.add(FailRequests(code="ValidationException"))
        [outcome] = await settled(simulation.submit("a", "b"))
        assert outcome.unavailable is not None
        assert not outcome.undeliverable

    virtual_time.run(work())


def test_a_record_that_is_too_large_is_refused_at_the_door_and_the_rest_delivered() -> None:
    async def work() -> None:
        simulation = Simulation()
        [outcome] = await settled(simulation.submit("a", size=1024 * 1024))
        assert outcome.undeliverable[0].code == "too_large"
        assert not simulation.sent
        simulation.stream.max_record_kib = 2048
        simulation.destination.learn(Found({}, 2048))
        [outcome] = await settled(simulation.submit("a", size=1024 * 1024))
        assert not outcome.undeliverable

    virtual_time.run(work())


def test_a_request_that_is_given_up_leaves_its_lane_and_what_flies_is_only_counted() -> None:
    async def work() -> None:
        simulation = Simulation(1, lists_shards=True)
        simulation.faults.add(Delay(seconds=5.0, times=1))
        flying = simulation.submit("a")
        await asyncio.sleep(0.1)
        waiting = simulation.submit("a")
        for lane in simulation.destination.lanes:
            for record in list(lane.waiting):
                record.submission.fail(Refusal("deadline", "too late", 5))
        assert waiting.done()
        await settled(flying)
        assert simulation.numbers_of("a") == [0]
        assert simulation.at_rest()

    virtual_time.run(work())


def test_a_destination_that_holds_all_it_may_asks_for_patience() -> None:
    async def work() -> None:
        simulation = Simulation(1, settings=DeliverySettings(destination_size=1_000))
        first = simulation.submit("a", size=900)
        [second] = await settled(simulation.submit("a", size=900))
        assert second.unavailable is not None
        assert second.unavailable.code == "destination_full"
        await settled(first)

    virtual_time.run(work())


def test_a_shard_that_would_not_deliver_in_time_refuses_and_its_neighbours_do_not() -> None:
    async def work() -> None:
        simulation = Simulation(8, lists_shards=True)
        loop, lanes = asyncio.get_running_loop(), simulation.destination.lanes
        hot = lanes.lane(lanes.keys["hot"].slot)
        others = [key for key in map(str, range(40)) if lanes.lane(lanes.keys[key].slot) is not hot][:20]
        pressing, waits = [], []
        stop = loop.time() + 30
        while loop.time() < stop:
            pressing.append(simulation.submit(*["hot"] * 150))
            begun = loop.time()
            [outcome] = await settled(simulation.submit(*others))
            assert outcome.unavailable is None
            waits.append(loop.time() - begun)
            await asyncio.sleep(0.02)
        refusals = [told.result().unavailable for told in pressing if told.done()]
        assert {refusal.code for refusal in refusals if refusal} == {"lane_full"}
        assert max(waits) < 0.2

    virtual_time.run(work())


def test_an_answer_that_never_tells_is_sent_again_and_may_arrive_twice() -> None:
    async def work() -> None:
        simulation = Simulation()
        simulation.faults.add(ResetConnection(accepted=True, times=1))
        [outcome] = await settled(simulation.submit("a"))
        assert outcome.unavailable is None
        assert simulation.numbers_of("a") == [0, 0]

    virtual_time.run(work())
