from headgate.ingest.rates import SourceRates
from headgate.settings.schema import Destination, Source


def source(rate: int | None) -> Source:
    destinations = (Destination(stream_name="events"),)
    return Source(id="s", write_keys=("wk",), max_events_per_second=rate, destinations=destinations)


def test_a_source_without_a_rate_never_waits() -> None:
    rates = SourceRates(lambda: 0.0)
    assert all(rates.wait(source(None), 2_500) is None for _ in range(100))


def test_one_second_of_events_passes_and_the_next_waits_until_time_has_made_up_for_it() -> None:
    clock = [0.0]
    rates = SourceRates(lambda: clock[0])
    assert [rates.wait(source(10), 5) for _ in range(3)] == [None, None, 1]
    clock[0] = 0.5
    assert [rates.wait(source(10), 5) for _ in range(2)] == [None, 1]


def test_a_batch_larger_than_a_second_passes_and_is_paid_for_afterwards() -> None:
    clock = [0.0]
    rates = SourceRates(lambda: clock[0])
    assert rates.wait(source(10), 100) is None
    assert rates.wait(source(10), 1) == 10
    clock[0] = 9.1
    assert rates.wait(source(10), 1) is None


def test_each_of_several_workers_allows_its_share() -> None:
    clock = [0.0]
    rates = SourceRates(lambda: clock[0], workers=4)
    assert [rates.wait(source(8), 2) for _ in range(2)] == [None, 1]
    clock[0] = 1.0
    assert [rates.wait(source(8), 2) for _ in range(2)] == [None, 1]


def test_a_share_below_one_event_a_second_still_lets_events_through() -> None:
    clock = [0.0]
    rates = SourceRates(lambda: clock[0], workers=4)
    assert [rates.wait(source(1), 1) for _ in range(2)] == [None, 4]
    clock[0] = 4.0
    assert rates.wait(source(1), 1) is None
