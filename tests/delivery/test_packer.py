"""What one request carries."""

from hypothesis import given
from hypothesis import strategies as st

from headgate.delivery.lanes import Lanes
from headgate.delivery.packer import MAX_RECORDS, MAX_REQUEST_BYTES, Bounds, pack
from tests.delivery.records import new_lanes, queued

BOUNDS = Bounds()


def packed(lanes: Lanes, bounds: Bounds = BOUNDS, now: float = 1_000.0) -> list[str]:
    parcel = pack(lanes.busy, now, bounds).parcel
    return [record.partition_key for record in parcel.records] if parcel else []


def test_the_oldest_lane_goes_first_and_whole() -> None:
    lanes = new_lanes()
    queued(lanes, "b", "a", "c", "b")
    assert packed(lanes) == ["b", "b", "a", "c"]
    assert packed(lanes) == []


def test_a_lane_has_one_requests_portion_in_flight() -> None:
    lanes = new_lanes()
    [first] = queued(lanes, "a")
    packed(lanes)
    queued(lanes, "a", "b")
    assert packed(lanes) == ["b"]
    first.lane.in_flight = 0
    assert packed(lanes) == ["a"]


def test_strict_takes_one_record_of_a_key_and_leaves_the_rest_in_order() -> None:
    lanes = new_lanes()
    records = queued(lanes, "a", "a", "a")
    assert packed(lanes, Bounds(strict=True)) == ["a"]
    assert list(records[0].lane.waiting) == records[1:]


def test_strict_looks_past_no_more_records_than_a_request_holds() -> None:
    lanes = new_lanes()
    records = queued(lanes, *["a"] * 5_000)
    assert packed(lanes, Bounds(strict=True)) == ["a"]
    assert list(records[0].lane.waiting) == records[1:]


def test_a_lane_that_waits_says_for_how_long() -> None:
    lanes = new_lanes()
    a, b = queued(lanes, "a", "b")
    a.lane.blocked_until, b.lane.blocked_until = 1_003.0, 1_002.0
    empty = pack(lanes.busy, 1_000.0, Bounds())
    assert (empty.parcel, empty.wait) == (None, 2.0)


def test_a_paced_lane_sends_its_portion_and_others_are_not_held_back() -> None:
    lanes = new_lanes()
    records = queued(lanes, *["a"] * 300, *["b"] * 100)
    records[0].lane.pace.throttled(0.5, 1_000.0)
    assert packed(lanes, now=1_000.0) == ["b"] * 100
    waited = pack(lanes.busy, 1_000.0, Bounds()).wait
    assert waited is not None
    sent = packed(lanes, now=1_000.0 + waited)
    assert 45 <= len(sent) <= 55


@given(
    st.lists(st.tuples(st.sampled_from("abcdef"), st.integers(2, 4_000)), min_size=1, max_size=300),
    st.integers(1, 60),
    st.integers(2_000, 60_000),
    st.booleans(),
)
def test_no_request_is_over_a_limit_and_each_lane_is_sent_in_order(
    wanted: list[tuple[str, int]], most: int, most_bytes: int, strict: bool
) -> None:
    lanes = new_lanes()
    for key, size in wanted:
        queued(lanes, key, size=size)
    bounds = Bounds(most, most_bytes, strict)
    sent = []
    while (parcel := pack(lanes.busy, 0.0, bounds).parcel) is not None:
        size = sum(record.size for record in parcel.records)
        assert parcel.size == size == sum(portion.size for portion in parcel.portions)
        assert len(parcel.records) <= most
        assert size <= most_bytes or len(parcel.records) == 1
        sent += parcel.records
        for lane, start, end, size in parcel.portions:
            assert {record.lane for record in parcel.records[start:end]} == {lane}
            lane.in_flight -= end - start
            lane.settled(size)
    assert len(sent) == len(wanted)
    for key in "abcdef":
        order = [record.sequence for record in sent if record.partition_key == key]
        assert order == sorted(order)


def test_the_limits_are_those_of_kinesis() -> None:
    assert (Bounds().records, Bounds().size) == (MAX_RECORDS, MAX_REQUEST_BYTES) == (500, 10_485_760)
