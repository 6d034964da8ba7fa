"""What an event costs in bytecodes stays bounded, so that nobody makes it dear by accident."""

from collections.abc import Callable

import pytest

from bench.bytecodes.work import Counted, batches, delivery_alone, single_events


@pytest.mark.parametrize(
    ("work", "most"),
    [(single_events, 2_145), (batches, 740), (delivery_alone, 200)],  # a tenth above what bench/README.md has
)
def test_an_event_takes_no_more_bytecodes_than_it_may(work: Callable[[], Counted], most: int) -> None:
    counted = work()
    assert most / 2 < counted.per_event <= most
    assert set(counted.bytecodes.rooms) <= {"ingest", "spec", "delivery", "metrics"}


def test_the_count_is_the_same_every_time() -> None:
    assert delivery_alone().bytecodes.run == delivery_alone().bytecodes.run
