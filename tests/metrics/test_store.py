import pytest

from headgate.metrics import names
from headgate.metrics.snapshot import Figures, Snapshot
from headgate.metrics.store import Metrics


def test_what_was_counted_observed_and_held_is_in_the_snapshot() -> None:
    metrics = Metrics()
    metrics.counter(names.ACCEPTED_EVENTS).value += 2
    metrics.counter(names.DELIVERED_RECORDS, "s/e").value += 5
    metrics.distribution(names.PUT_LATENCY, "s/e").observe(12.5)
    metrics.gauge(names.PAUSED, "s/e", lambda: True)
    snapshot = metrics.snapshot()
    assert snapshot.service == Figures({"AcceptedEvents": 2})
    figures = snapshot.destinations["s/e"]
    assert (figures.counters, figures.gauges) == ({"DeliveredRecords": 5}, {"Paused": 1.0})
    assert sum(figures.distributions["PutLatency"].values()) == 1


def test_the_same_counter_is_handed_out_to_all_who_ask() -> None:
    metrics = Metrics()
    one, two = (metrics.counter(names.RETRIED_RECORDS, "s/e") for _ in range(2))
    assert one is two
    assert metrics.counter(names.RETRIED_RECORDS, "s/f") is not one


def test_a_snapshot_does_not_change_any_more() -> None:
    metrics = Metrics()
    count, latency = metrics.counter(names.ACCEPTED_EVENTS), metrics.distribution(names.PUT_LATENCY, "s/e")
    latency.observe(1)
    snapshot = metrics.snapshot()
    count.value += 1
    latency.observe(1)
    assert snapshot.service.counters == {"AcceptedEvents": 0}
    assert list(snapshot.destinations["s/e"].distributions["PutLatency"].values()) == [1]


def test_several_reads_of_a_gauge_are_combined_until_they_end() -> None:
    metrics = Metrics()
    for gauge in (names.HELD_BYTES, names.OLDEST_RECORD_AGE):
        metrics.gauge(gauge, "s/e", lambda: 2)
        end = metrics.gauge(gauge, "s/e", lambda: 3)
    assert metrics.snapshot().destinations["s/e"].gauges == {"HeldBytes": 5, "OldestRecordAge": 3}
    end()
    assert metrics.snapshot().destinations["s/e"].gauges == {"HeldBytes": 5, "OldestRecordAge": 2}


def test_a_dropped_destination_is_told_once_more_and_then_forgotten() -> None:
    metrics = Metrics()
    metrics.counter(names.DELIVERED_RECORDS, "s/e").value += 5
    metrics.gauge(names.HELD_BYTES, "s/e", lambda: 1)
    metrics.drop("s/e")
    metrics.drop("never/seen")
    assert metrics.snapshot().destinations == {"s/e": Figures({"DeliveredRecords": 5})}
    metrics.forget_dropped()
    assert metrics.snapshot() == Snapshot()


def test_a_dropped_destination_that_comes_back_before_it_was_told_goes_on() -> None:
    metrics = Metrics()
    count = metrics.counter(names.DELIVERED_RECORDS, "s/e")
    metrics.drop("s/e")
    assert metrics.counter(names.DELIVERED_RECORDS, "s/e") is count
    metrics.forget_dropped()
    assert "s/e" in metrics.snapshot().destinations


def test_a_metric_has_the_dimensions_of_the_registry_and_no_others() -> None:
    metrics = Metrics()
    with pytest.raises(ValueError, match=r"^DeliveredRecords is a metric of a destination; given: None$"):
        metrics.counter(names.DELIVERED_RECORDS)
    with pytest.raises(ValueError, match=r"^AcceptedEvents is a metric of no destination; given: 's/e'$"):
        metrics.counter(names.ACCEPTED_EVENTS, "s/e")
