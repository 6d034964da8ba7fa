"""Lanes: which records wait for which shard, in which order, whatever the shards do."""

from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from headgate.delivery.lanes import SLOTS, Lane, Lanes
from headgate.delivery.packer import Bounds, Parcel, pack
from headgate.delivery.settling import settle
from headgate.delivery.submission import Record, Refusal
from headgate.delivery.wire.messages import Answer
from tests.delivery.records import TARGET, made, new_lanes, queued, submission

KEYS = [f"key-{number}" for number in range(40)]


def keys_of(lane: Lane) -> list[str]:
    return [record.partition_key for record in lane.waiting if record.waiting]


def test_a_keys_records_share_a_lane_and_keep_their_order() -> None:
    lanes = new_lanes()
    records = queued(lanes, "a", "b", "a", "a")
    lane = records[0].lane
    assert [record for record in lane.waiting if record.partition_key == "a"] == [
        records[0],
        records[2],
        records[3],
    ]
    assert lanes.keys["a"].slot == 0x0C  # the first byte of its MD5
    assert (sum(lane.held_records for lane in lanes), lanes.held.size) == (4, 40)


def test_slots_whose_records_land_in_one_shard_share_its_lane() -> None:
    lanes = new_lanes()
    a, b = queued(lanes, "a", "b")
    assert a.lane is not b.lane
    for record in (a, b):
        lanes.landed(record.lane, record.slot, "shard-1")
        lanes.settle_moves(record.lane)
    assert a.lane is b.lane
    assert a.lane.shard_id == "shard-1"
    assert keys_of(a.lane) == ["a", "b"]
    assert lanes.resharded


def test_a_slot_moves_only_while_nothing_of_its_lane_is_in_flight() -> None:
    lanes = new_lanes()
    [a] = queued(lanes, "a")
    lane = a.lane
    lanes.mapped({a.slot: "shard-1"})
    lane.in_flight = 1
    lanes.landed(lane, a.slot, "shard-2")
    lanes.settle_moves(lane)
    assert a.lane is lane
    lane.in_flight = 0
    lanes.settle_moves(lane)
    assert a.lane.shard_id == "shard-2"


def test_a_slot_across_two_shards_gets_a_lane_of_its_own_until_its_shards_change() -> None:
    lanes = new_lanes()
    [a] = queued(lanes, "a")
    for shard_id in ("shard-1", "shard-2", "shard-1", "shard-2"):
        lanes.landed(a.lane, a.slot, shard_id)
        lanes.settle_moves(a.lane)
    assert a.lane.shard_id is None
    lanes.landed(a.lane, a.slot, "shard-3")
    lanes.settle_moves(a.lane)
    assert a.lane.shard_id == "shard-3"


def test_what_failed_returns_to_its_place() -> None:
    lanes = new_lanes()
    records = queued(lanes, *["a"] * 6)
    lane = records[0].lane
    for _ in range(4):
        lane.waiting.popleft().waiting = False
    lanes.put_back(lane, [records[1], records[3]])
    assert list(lane.waiting) == [records[1], records[3], records[4], records[5]]
    lane.waiting.popleft()
    lane.waiting.popleft()
    lanes.put_back(lane, [records[0]])
    assert list(lane.waiting) == [records[0], records[4], records[5]]


def test_a_request_that_is_given_up_leaves_its_lanes_and_its_bytes() -> None:
    lanes = new_lanes()
    given_up = submission()
    records = [made(lanes, key, of=given_up) for key in ("a", "b")]
    given_up.portions = [(TARGET, records)]
    lanes.add(records)
    [kept] = queued(lanes, "a")
    given_up.fail(Refusal("deadline", "too late"))
    assert given_up.told
    assert kept.lane.oldest() is kept
    assert (sum(lane.held_records for lane in lanes), lanes.held.size) == (1, 10)
    assert all(record.data == b"" for record in records)


def test_a_lane_that_cannot_send_keeps_no_more_dead_entries_than_live_ones() -> None:
    lanes = new_lanes()
    [first] = queued(lanes, "a")
    for _ in range(1_000):
        given_up = submission()
        given_up.portions = [(TARGET, [made(lanes, "a", of=given_up)])]
        lanes.add(given_up.portions[0][1])
        given_up.fail(Refusal("deadline", "too late"))
    assert len(first.lane.waiting) < 140
    assert first.lane.held_records == 1


@pytest.mark.parametrize("count", [1, 2, 3, 7, 256])
def test_what_list_shards_tells_maps_every_slot(count: int) -> None:
    lanes = new_lanes()
    lanes.mapped({slot: f"shard-{slot * count // SLOTS}" for slot in range(SLOTS)})
    assert len(list(lanes)) == count
    assert not lanes.resharded


class AnyShards(RuleBasedStateMachine):
    """Requests, answers, withdrawals and any moves of shards, in any order."""

    def __init__(self) -> None:
        super().__init__()
        self.lanes = new_lanes()
        self.flying: list[Parcel] = []
        self.settled: Counter[int] = Counter()
        self.queued: dict[int, Record] = {}
        self.accepted: list[Record] = []
        self.shard_of_slot = [f"s{slot // 64}" for slot in range(SLOTS)]
        self.names = 4

    @rule(keys=st.lists(st.sampled_from(KEYS), min_size=1, max_size=8))
    def queue(self, keys: list[str]) -> None:
        for record in queued(self.lanes, *keys):
            self.queued[record.sequence] = record
            record.submission.open_records = 1
            record.submission.portions = [(TARGET, [record])]

    @rule(most=st.integers(1, 12), strict=st.booleans())
    def send(self, most: int, strict: bool) -> None:
        parcel = pack(self.lanes.busy, 1e9, Bounds(records=most, strict=strict)).parcel
        self.lanes.drop_idle()
        if parcel is None:
            return
        assert 1 <= len(parcel.records) <= most
        if strict:
            keys = [record.partition_key for record in parcel.records]
            assert len(set(keys)) == len(keys)
        in_flight = {record.partition_key for flying in self.flying for record in flying.records}
        assert not in_flight & {record.partition_key for record in parcel.records}
        self.flying.append(parcel)

    @precondition(lambda self: self.flying)
    @rule(data=st.data())
    def answer(self, data: st.DataObject) -> None:
        parcel = self.flying.pop(data.draw(st.integers(0, len(self.flying) - 1)))
        count = len(parcel.records)
        failed = data.draw(st.sets(st.integers(0, count - 1)))
        shard_ids = [self.shard_of_slot[record.slot] for record in parcel.records]
        answer = Answer(
            dict.fromkeys(sorted(failed), "InternalFailure"),
            [None if index in failed else shard_ids[index] for index in range(count)],
        )
        told = {id(record) for record in parcel.records if record.submission.given_up}
        settle(self.lanes, parcel, answer, 0.0, 0.5)
        for index, record in enumerate(parcel.records):
            if index not in failed:
                self.settled[record.sequence] += 1
                self.accepted.append(record)
                del self.queued[record.sequence]
            elif id(record) in told:
                del self.queued[record.sequence]

    @rule(data=st.data())
    def give_up(self, data: st.DataObject) -> None:
        if not self.queued:
            return
        record = self.queued[data.draw(st.sampled_from(sorted(self.queued)))]
        waited = record.waiting
        record.submission.fail(Refusal("deadline", "too late"))
        if waited:
            del self.queued[record.sequence]

    @rule(first=st.integers(0, SLOTS - 1), width=st.integers(1, 200))
    def reshard(self, first: int, width: int) -> None:
        self.names += 1
        for slot in range(first, min(first + width, SLOTS)):
            self.shard_of_slot[slot] = f"s{self.names}"

    @rule()
    def list_shards(self) -> None:
        self.lanes.mapped(dict(enumerate(self.shard_of_slot)))

    @invariant()
    def every_lane_is_in_order_and_every_record_is_somewhere_once(self) -> None:
        waiting = []
        for lane in self.lanes:
            sequences = [record.sequence for record in lane.waiting]
            assert sequences == sorted(sequences)
            live = [record for record in lane.waiting if record.waiting]
            assert all(record.lane is lane for record in live)
            waiting += live
            flying = [p for parcel in self.flying for p in parcel.portions if p.lane is lane]
            assert lane.in_flight == sum(portion.end - portion.start for portion in flying)
            assert lane.held_records == len(live) + lane.in_flight
            assert not live or lane in self.lanes.busy
        flying_records = [record for parcel in self.flying for record in parcel.records]
        held = sorted(record.sequence for record in (*waiting, *flying_records))
        assert held == sorted(self.queued)
        assert self.lanes.held.size == 10 * len(held)
        assert not self.settled or set(self.settled.values()) == {1}


AnyShards.TestCase.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)
test_any_order_of_events_loses_nothing_and_keeps_the_order = AnyShards.TestCase


@given(st.text(min_size=1, max_size=20).filter(lambda key: key.isprintable()))
def test_a_key_is_always_in_the_same_slot(key: str) -> None:
    assert new_lanes().keys[key].slot == new_lanes().keys[key].slot < SLOTS


def test_the_slots_of_many_keys_are_forgotten_in_time() -> None:
    lanes = Lanes(new_lanes().held)
    slots = {key: lanes.keys[key].slot for key in map(str, range(70_000))}
    assert len(lanes.keys) <= 65_536
    assert all(lanes.keys[key].slot == slot for key, slot in list(slots.items())[:100])
