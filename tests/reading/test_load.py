"""The load of shards, and where to split one."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headgate.reading.load import ShardLoad, hash_key, load_of
from headgate.reading.record import Record
from headgate.reading.sample import Sample
from headgate.testing import FakeKinesis

WHOLE = 2**128 - 1


def sampled(records: dict[str, int], size: int = 100, seconds: int = 10) -> Sample:
    """So many records of each partition key, one a second and the rest in the last."""
    sample = Sample(0.0, seconds)
    for key, count in records.items():
        data = b"x" * (size - len(key))
        sample.add(Record("1", key, min(number, seconds - 1), data) for number in range(count))
    return sample


def shard(sample: Sample, start: int = 0, end: int = WHOLE) -> ShardLoad:
    seconds = sample.end - sample.begin
    return ShardLoad("shardId-000000000000", start, end, open=True, sample=sample, seconds=seconds)


def described(shard_id: str, start: int, end: int, *, is_open: bool = True) -> Any:
    numbers = {"StartingSequenceNumber": "1"} | ({} if is_open else {"EndingSequenceNumber": "2"})
    hash_keys = {"StartingHashKey": str(start), "EndingHashKey": str(end)}
    return {"ShardId": shard_id, "HashKeyRange": hash_keys, "SequenceNumberRange": numbers}


def test_use_is_the_share_of_the_nearer_limit() -> None:
    small, large = shard(sampled({"a": 5_000})), shard(sampled({"a": 500}, size=10_000))
    assert (small.use.share, small.use.bound) == (0.5, "records")
    assert (large.use.share, large.use.bound) == (0.5, "bytes")
    assert small.peak.share == pytest.approx(4.991)
    assert shard(sampled({})).peak.share == 0.0


def test_the_hottest_keys_are_those_with_most_of_the_nearer_limit() -> None:
    hot = shard(sampled({"a": 60, "b": 30, "c": 10})).hottest(2)
    assert [(key.partition_key, key.share) for key in hot] == [("a", 0.6), ("b", 0.3)]


def test_the_hash_key_is_that_of_kinesis() -> None:
    with FakeKinesis(streams={"events": 16}) as kinesis:
        for key in ("user-1", "Zoë", "🎉"):
            place = hash_key(key)
            owner = kinesis.stream("events").shard_of(place)
            assert owner.start <= place <= owner.end


def test_closed_shards_count_where_something_was_written_to_them() -> None:
    load = load_of(
        [
            described("low", 0, 9, is_open=False),
            described("old", 10, 19, is_open=False),
            described("high", 10, 19),
            described("new", 0, 9),
        ],
        {"low": sampled({"a": 500}), "new": sampled({"a": 500})},
        0.0,
        10.0,
    )
    assert [(each.shard_id, each.open) for each in load.shards] == [
        ("low", False),
        ("new", True),
        ("high", True),
    ]
    assert [each.shard_id for each in load.open_shards] == ["new", "high"]
    assert load.total.records == 1_000
    assert load.peak.share == pytest.approx(0.982)


def test_many_keys_are_split_where_half_of_their_load_is() -> None:
    split = shard(sampled({f"user-{number}": 10 for number in range(1_000)})).best_split()
    assert split is not None
    assert split.larger_share == pytest.approx(0.5, abs=0.001)


def test_one_hot_key_stays_whole_wherever_the_split_is() -> None:
    split = shard(sampled({"hot": 900} | {f"user-{number}": 1 for number in range(100)})).best_split()
    assert split is not None
    assert 0.9 <= split.larger_share < 0.96


def test_a_shard_with_nothing_in_it_or_too_narrow_cannot_be_split() -> None:
    assert shard(sampled({})).best_split() is None
    assert shard(sampled({"a": 1}), 5, 7).best_split() is None


def test_keys_that_were_not_kept_are_taken_to_be_spread_evenly() -> None:
    sample = sampled({f"user-{number}": 1 for number in range(100)})
    sample.keys.clear()
    split = shard(sample, 1_000, 1_999).best_split()
    assert split is not None
    assert (split.hash_key, split.larger_share) == (1_500, 0.5)


@given(
    st.dictionaries(st.text(max_size=5), st.integers(1, 50), min_size=1, max_size=20),
    st.integers(0, 15),
    st.sampled_from([1, 4, 16]),
)
def test_no_place_splits_better_and_kinesis_accepts_it(
    records: dict[str, int], index: int, shards: int
) -> None:
    index %= shards
    start, end = index * 2**128 // shards, (index + 1) * 2**128 // shards - 1
    records = {key: count for key, count in records.items() if start <= hash_key(key) <= end}
    split = shard(sampled(records), start, end).best_split()
    whole = sum(records.values())
    if not whole:
        assert split is None
        return
    assert split is not None
    assert start + 1 < split.hash_key < end

    def larger(place: int) -> float:
        below = sum(count for key, count in records.items() if hash_key(key) < place)
        return max(below, whole - below) / whole

    assert split.larger_share == pytest.approx(larger(split.hash_key))
    places = [min(max(hash_key(key) + 1, start + 2), end - 1) for key in records]
    assert split.larger_share <= min(map(larger, places)) + 1e-9
