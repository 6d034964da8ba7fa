import msgspec
from hypothesis import given

from headgate.metrics.snapshot import Figures, Snapshot, difference, merge, without_gauges
from tests.metrics.strategies import SNAPSHOTS


@given(SNAPSHOTS, SNAPSHOTS, SNAPSHOTS)
def test_merging_is_associative_and_commutative(one: Snapshot, two: Snapshot, three: Snapshot) -> None:
    assert merge([merge([one, two]), three]) == merge([one, merge([two, three])]) == merge([three, one, two])


@given(SNAPSHOTS)
def test_merging_with_nothing_changes_nothing(snapshot: Snapshot) -> None:
    assert merge([snapshot]) == merge([Snapshot(), snapshot])


@given(SNAPSHOTS, SNAPSHOTS)
def test_what_was_before_and_what_came_in_since_make_what_is(before: Snapshot, more: Snapshot) -> None:
    counted_before, counted_more = without_gauges(before), without_gauges(more)
    after = merge([counted_before, counted_more])
    change = difference(counted_before, after)
    assert merge([counted_before, change]) == after


@given(SNAPSHOTS)
def test_a_snapshot_travels_as_json(snapshot: Snapshot) -> None:
    assert msgspec.json.decode(msgspec.json.encode(snapshot), type=Snapshot) == snapshot


def test_counters_and_held_bytes_add_up_and_of_ages_the_greatest_counts() -> None:
    one = Figures({"DeliveredRecords": 3}, {"HeldBytes": 10, "OldestRecordAge": 2}, {"PutLatency": {7: 1}})
    two = Figures(
        {"DeliveredRecords": 4}, {"HeldBytes": 5, "OldestRecordAge": 9}, {"PutLatency": {7: 2, 8: 1}}
    )
    merged = merge([Snapshot(destinations={"s/e": one}), Snapshot(destinations={"s/e": two})])
    assert merged.destinations["s/e"] == Figures(
        {"DeliveredRecords": 7}, {"HeldBytes": 15, "OldestRecordAge": 9}, {"PutLatency": {7: 3, 8: 1}}
    )


def test_a_process_that_is_gone_holds_nothing_and_has_counted() -> None:
    figures = Figures({"DeliveredRecords": 3}, {"Paused": 1.0})
    gone = without_gauges(Snapshot(destinations={"s/e": figures}))
    assert gone.destinations["s/e"] == Figures({"DeliveredRecords": 3})
