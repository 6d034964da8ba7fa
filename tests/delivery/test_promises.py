"""The delivery contract, whatever Kinesis does: each record settled once, none lost, order as promised."""

import asyncio
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from headgate.delivery.submission import Outcome
from headgate.testing import Delay, FailRecords, FailRequests, ResetConnection
from headgate.testing.faults import Fault
from tests import virtual_time
from tests.delivery.simulation import Simulation, settled

THROTTLED = "ProvisionedThroughputExceededException"
KEYS = [f"user-{number}" for number in range(12)]
FAULTS: list[Fault] = [
    FailRecords(code=THROTTLED, probability=0.05),
    FailRecords(code="InternalFailure", probability=0.2),
    FailRecords(code="SomethingNew", probability=0.1, lasting=3),
    FailRequests(code="InternalFailure", probability=0.3),
    FailRequests(code="ServiceUnavailable", lasting=2),
    FailRequests(code="ExpiredTokenException", probability=0.2),
    FailRequests(code="KMSThrottlingException", probability=0.2),
    FailRequests(code="LimitExceededException", times=3),
    ResetConnection(probability=0.1),
    ResetConnection(probability=0.1, accepted=True),
    Delay(seconds=(0.0, 0.5), probability=0.5),
    FailRequests(code="AccessDeniedException", operations=("PutRecords",), probability=0.05),
]


async def reshard(simulation: Simulation, times: int) -> None:
    """Split and merge shards, one at a time."""
    for turn in range(times):
        await asyncio.sleep(0.7)
        shards = list(simulation.stream.open_shards)
        now = asyncio.get_running_loop().time()
        if turn % 2 and len(shards) > 1:
            simulation.stream.merge(*shards[:2], now)
        else:
            shard = max(shards, key=lambda each: each.end - each.start)
            simulation.stream.split(shard, (shard.start + shard.end) // 2 + turn, now)
        if turn % 3 == 2:
            simulation.destination.lanes.mapped(simulation.shard_of_slot())


def first_accepted(simulation: Simulation, key: str) -> list[int]:
    """Return a key's records in the order in which each was first accepted."""
    return list(dict.fromkeys(simulation.numbers_of(key)))


@settings(max_examples=40, deadline=None)
@given(
    seed=st.integers(0, 10_000),
    shards=st.integers(1, 5),
    strict=st.booleans(),
    lists_shards=st.booleans(),
    faults=st.lists(st.sampled_from(FAULTS), max_size=4, unique_by=repr),
    reshards=st.integers(0, 4),
)
def test_every_record_arrives_and_is_settled_once_and_a_key_keeps_its_order(
    *, seed: int, shards: int, strict: bool, lists_shards: bool, faults: list[Fault], reshards: int
) -> None:
    async def work() -> None:
        simulation = Simulation(shards, strict=strict, lists_shards=lists_shards, seed=seed)
        for fault in faults:
            simulation.faults.add(fault)
        awaited: dict[str, list[int]] = {key: [] for key in KEYS[:4]}
        outcomes: list[Outcome] = []

        async def patient(key: str) -> None:
            """A client that awaits its 200 before its next request."""
            for _ in range(12):
                [outcome] = await settled(simulation.submit(key))
                outcomes.append(outcome)

        async def hasty(keys: list[str]) -> None:
            """A client that does not."""
            told = []
            for turn in range(10):
                told.append(simulation.submit(*keys, *keys[: turn % 3]))
                await asyncio.sleep(simulation.random.random() * 0.2)
            outcomes.extend(await settled(*told))

        clients = [*map(patient, awaited), hasty(KEYS[4:8]), hasty(KEYS[6:12]), reshard(simulation, reshards)]
        await asyncio.gather(*clients)
        assert all(outcome.unavailable is None and not outcome.undeliverable for outcome in outcomes)
        accepted = {int(record.message_id or -1) for record in simulation.ledger.records()}
        assert accepted == set(range(next(simulation.numbers)))
        assert simulation.at_rest()
        for key in KEYS:
            order = first_accepted(simulation, key)
            if strict or key in awaited:
                assert order == sorted(order)
            else:
                check_only_shared_requests_reorder(simulation, key, order)

    virtual_time.run(work())


def check_only_shared_requests_reorder(simulation: Simulation, key: str, order: list[int]) -> None:
    """Where a later record came first, both were in one PutRecords, inside which Kinesis gives no order."""
    together = set()
    for request in simulation.sent:
        numbers = [record.sequence for record in request if record.partition_key == key]
        together |= {(earlier, later) for earlier in numbers for later in numbers}
    place = {number: index for index, number in enumerate(sorted(order))}
    sequences = sorted(
        {record.sequence for request in simulation.sent for record in request if record.partition_key == key}
    )
    for first, then in pairwise(order):
        if first > then:
            assert (sequences[place[then]], sequences[place[first]]) in together


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 10_000), strict=st.booleans())
def test_only_what_failed_is_sent_again(*, seed: int, strict: bool) -> None:
    async def work() -> None:
        simulation = Simulation(3, strict=strict, seed=seed)
        simulation.faults.add(FailRecords(code=THROTTLED, probability=0.3))
        await settled(*(simulation.submit(*KEYS) for _ in range(20)))
        failed = simulation.ledger.errors[THROTTLED]
        assert sum(map(len, simulation.sent)) == 20 * len(KEYS) + failed
        assert not simulation.ledger.duplicates()

    virtual_time.run(work())


@pytest.mark.parametrize(
    ("shards", "size", "lists_shards"), [(1, 100, False), (3, 500, True), (3, 2_500, False)]
)
def test_throttling_shards_are_used_to_their_limits_and_little_is_sent_twice(
    shards: int, size: int, lists_shards: bool
) -> None:
    """Half as much again as the shards take is offered, by clients that come again after a 429."""

    async def work() -> None:
        simulation = Simulation(shards, lists_shards=lists_shards, latency=0.03, seed=7)
        loop = asyncio.get_running_loop()
        capacity = shards * min(1_000, 1_000_000 / (size + 7))
        clients = shards * 150

        async def client(number: int) -> None:
            turn = 0
            while True:
                turn += 1
                [outcome] = await settled(
                    simulation.submit(*(f"{number}-{turn}-{index}" for index in range(20)), size=size)
                )
                wait = outcome.unavailable.retry_after or 1 if outcome.unavailable else 0
                await asyncio.sleep((wait + 20 * clients / (1.5 * capacity)) * simulation.random.random() * 2)

        tasks = [loop.create_task(client(number)) for number in range(clients)]
        await asyncio.sleep(10)
        before = simulation.ledger.totals()
        await asyncio.sleep(40)
        after = simulation.ledger.totals()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await simulation.destination.close()
        accepted = after.accepted_records - before.accepted_records
        accepted_bytes = after.accepted_bytes - before.accepted_bytes
        offered_bytes = after.offered_bytes - before.offered_bytes
        assert accepted >= 0.98 * 40 * capacity
        assert offered_bytes - accepted_bytes <= 0.02 * accepted_bytes

    virtual_time.run(work())
