"""Hash ranges: who owns a key, and what split and merge leave of that."""

from hashlib import md5
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headgate.testing.buckets import Limits
from headgate.testing.refusals import Refusal
from headgate.testing.streams import HASH_KEYS, Stream, hash_key


def stream(shards: int) -> Stream:
    return Stream("events", shards, now=1.0, limits=Limits())


def assert_covers_every_key_once(stream: Stream) -> None:
    shards = stream.open_shards
    assert shards[0].start == 0
    assert shards[-1].end == HASH_KEYS - 1
    assert all(low.end + 1 == high.start for low, high in pairwise(shards))
    assert all(stream.shard_of(key) is each for each in shards for key in (each.start, each.end))


@given(st.integers(1, 300))
def test_the_first_shards_have_equal_parts_of_the_hash_keys(count: int) -> None:
    made = stream(count)
    assert_covers_every_key_once(made)
    sizes = {shard.end - shard.start for shard in made.shards}
    assert max(sizes) - min(sizes) <= 1
    assert [shard.shard_id for shard in made.shards] == [f"shardId-{at:012d}" for at in range(count)]


@given(st.text(min_size=1, max_size=256))
def test_a_partition_key_has_the_hash_key_of_its_md5(key: str) -> None:
    assert f"{hash_key(key):032x}" == md5(key.encode()).hexdigest()


@given(st.integers(1, 5), st.data())
def test_split_and_merge_never_lose_a_hash_key(count: int, data: st.DataObject) -> None:
    made = stream(count)
    for step in range(data.draw(st.integers(1, 12))):
        shards = made.open_shards
        at = data.draw(st.integers(0, len(shards) - 1))
        now = 2.0 + step
        if len(shards) > 1 and data.draw(st.booleans()):
            one, other = shards[max(at - 1, 0)], shards[max(at - 1, 0) + 1]
            child = made.merge(*data.draw(st.permutations([one, other])), now)
            assert {child.parent, child.adjacent_parent} == {one, other}
            assert not one.open
            assert not other.open
        elif shards[at].end - shards[at].start > 2:
            parent = shards[at]
            low, high = made.split(parent, data.draw(st.integers(parent.start + 2, parent.end - 1)), now)
            assert (low.parent, high.parent, parent.closed_at) == (parent, parent, now)
            assert int(low.first_sequence_number) > int(parent.last_sequence_number)
        assert_covers_every_key_once(made)


def test_sequence_numbers_have_56_digits_and_increase() -> None:
    shard = stream(3).shards[2]
    numbers = [shard.first_sequence_number, *(shard.next_sequence_number() for _ in range(5))]
    assert {len(number) for number in numbers} == {56}
    assert numbers == sorted(numbers)
    assert len(set(numbers)) == 6
    assert numbers[-1] == shard.last_sequence_number


@pytest.mark.parametrize("at", [0, 1, HASH_KEYS - 1, HASH_KEYS])
def test_a_split_needs_a_key_inside_the_shard(at: int) -> None:
    made = stream(1)
    with pytest.raises(Refusal, match="NewStartingHashKey"):
        made.split(made.shards[0], at, 2.0)
    assert len(made.shards) == 1


def test_a_closed_shard_is_neither_split_nor_merged() -> None:
    made = stream(2)
    first, second = made.shards
    made.split(first, 1000, 2.0)
    with pytest.raises(Refusal, match="already been merged or split"):
        made.split(first, 1000, 3.0)
    with pytest.raises(Refusal, match="already been merged or split"):
        made.merge(second, first, 3.0)


def test_only_neighbours_merge() -> None:
    made = stream(3)
    with pytest.raises(Refusal, match="not an adjacent pair"):
        made.merge(made.shards[0], made.shards[2], 2.0)


@pytest.mark.parametrize(("name", "shards"), [("", 1), ("a b", 1), ("x" * 129, 1), ("events", 0)])
def test_a_stream_that_cannot_be_is_not_made(name: str, shards: int) -> None:
    with pytest.raises(ValueError, match="a stream"):
        Stream(name, shards, now=1.0, limits=Limits())
