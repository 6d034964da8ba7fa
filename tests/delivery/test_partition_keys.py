"""Partition keys as Kinesis takes them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headgate.delivery.partition_keys import acceptable
from tests import virtual_time
from tests.delivery.simulation import Simulation, settled


@pytest.mark.parametrize(
    ("key", "kept"),
    [("k", True), ("k" * 256, True), ("k" * 257, False), ("é" * 128, True), ("é" * 129, False), ("", False)],
)
def test_a_key_that_kinesis_would_refuse_becomes_its_hash(key: str, kept: bool) -> None:
    found = acceptable(key)
    assert (found == key) is kept
    assert kept or len(found) == 64


@given(st.text(st.characters(), max_size=300))
def test_whatever_the_key_kinesis_takes_what_becomes_of_it_and_the_same_each_time(key: str) -> None:
    assert 0 < len(acceptable(key).encode()) <= 256
    assert acceptable(key) == acceptable(key)


def test_half_an_emoji_is_no_text_and_is_hashed() -> None:
    assert len(acceptable("user-\ud83d")) == 64


def test_records_of_replaced_keys_are_delivered_in_order_and_counted() -> None:
    async def work() -> None:
        simulation = Simulation(4)
        long = "k" * 300
        await settled(*(simulation.submit(long, "short") for _ in range(3)))
        assert simulation.numbers_of(acceptable(long)) == [0, 2, 4]
        assert simulation.figure("ReplacedPartitionKeys") == 3

    virtual_time.run(work())
