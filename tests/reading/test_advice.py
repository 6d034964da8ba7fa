"""What is advised for which load."""

import shlex

import pytest

from headgate.reading.advice import Advice, Mode, Stream, advise
from headgate.reading.load import ShardLoad, StreamLoad, hash_key
from headgate.reading.sample import Sample
from tests.reading.test_load import sampled

USERS = {f"user-{number}": 1 for number in range(20_000)}
ARN = "arn:aws:kinesis:us-west-2:123456789012:stream/events"


def load(*records: dict[str, int], busy: int = 8) -> StreamLoad:
    """Shards of equal ranges with so many records of each key that fits there, `busy` times over, in 10 s."""
    shards = []
    for index, wanted in enumerate(records):
        start, end = index * 2**128 // len(records), (index + 1) * 2**128 // len(records) - 1
        here = {key: busy * count for key, count in wanted.items() if start <= hash_key(key) <= end}
        shard_id = f"shardId-{index:012}"
        shards.append(ShardLoad(shard_id, start, end, open=True, sample=spread(here), seconds=10.0))
    return StreamLoad(shards, 10.0)


def spread(records: dict[str, int]) -> Sample:
    sample = sampled(records)
    total = sample.total
    sample.seconds.clear()
    for second in range(10):
        sample.seconds[second].records = total.records // 10
        sample.seconds[second].bytes = total.bytes // 10
    return sample


def of(load: StreamLoad, mode: Mode | None = "PROVISIONED", arn: str | None = ARN) -> list[Advice]:
    return advise(Stream("events", "us-west-2", arn, mode), load)


def some(count: int, more: dict[str, int] | None = None) -> dict[str, int]:
    return dict(list(USERS.items())[:count]) | (more or {})


def test_shards_that_carry_their_load_need_nothing() -> None:
    assert of(load(some(1_500), some(1_500))) == []


def test_one_hot_shard_of_many_keys_is_to_be_split_where_its_load_is_halved() -> None:
    [advice] = of(load(some(8_000), some(1_000), some(1_000), some(1_000), busy=5))
    assert (advice.kind, advice.shard_id) == ("split", "shardId-000000000000")
    assert "of its limit of records" in advice.text
    [command] = advice.commands
    words = shlex.split(command)
    assert words[:3] == ["aws", "kinesis", "split-shard"]
    options = dict(zip(words[3::2], words[4::2], strict=True))
    assert options.pop("--new-starting-hash-key").isdecimal()
    assert options == {
        "--region": "us-west-2",
        "--stream-name": "events",
        "--shard-to-split": "shardId-000000000000",
    }


@pytest.mark.parametrize("mode", ["PROVISIONED", "ON_DEMAND", None])
def test_one_hot_key_is_to_be_spread_by_its_message_ids(mode: Mode | None) -> None:
    hot = next(key for key in USERS if hash_key(key) < 2**126)
    [advice] = of(load(some(500, {hot: 2_000}), some(500), some(500), some(500), busy=5), mode)
    assert (advice.kind, advice.shard_id, advice.commands) == ("use_message_id", "shardId-000000000000", ())
    assert f"of the partition key {hot!r}" in advice.text


def test_where_most_shards_are_hot_more_are_needed_or_on_demand() -> None:
    [advice] = of(load(some(3_000), some(3_000), busy=6))
    assert (advice.kind, advice.shard_id) == ("more_shards", None)
    assert "--target-shard-count 3 " in advice.commands[0]
    assert f"--stream-arn {ARN} --stream-mode-details StreamMode=ON_DEMAND" in advice.commands[1]
    [advice] = of(load(some(3_000), some(3_000), busy=20), arn=None)
    assert "--target-shard-count 4 " in advice.commands[0], "no more than twice as many at a time"
    assert len(advice.commands) == 1


def test_where_most_shards_are_idle_fewer_would_do() -> None:
    [advice] = of(load(*[some(1_000)] * 8))
    assert (advice.kind, advice.shard_id) == ("fewer_shards", None)
    assert "--target-shard-count 4 " in advice.commands[0], "no fewer than half at a time"


def test_an_uneven_load_keeps_its_shards() -> None:
    busy = dict.fromkeys((key for key in USERS if hash_key(key) < 2**125), 1)
    assert of(load(busy, *[some(100)] * 7, busy=2)) == []


def test_on_demand_kinesis_does_it_by_itself() -> None:
    assert of(load(*[some(1_000)] * 8), "ON_DEMAND") == []
    assert [advice.kind for advice in of(load(some(3_000), some(3_000), busy=6), "ON_DEMAND")] == ["wait"]
    [advice] = of(load(some(8_000), some(1_000), some(1_000), some(1_000), busy=5), "ON_DEMAND")
    assert (advice.kind, advice.shard_id, advice.commands) == ("wait", "shardId-000000000000", ())


def test_a_single_full_second_makes_a_shard_hot() -> None:
    stream = load(some(1_500), some(1_500), some(1_500), some(1_500))
    shard = stream.shards[0]
    shard.sample.seconds[3].records = 1_000
    [advice] = of(stream)
    assert advice.kind == "split"
    assert "in its busiest second" in advice.text


def test_the_only_shard_is_split() -> None:
    [advice] = of(load(some(1_200)))
    assert advice.kind == "split"
