"""The delivered share, and what a span shows as a point."""

from hypothesis import given, settings
from hypothesis import strategies as st

from headgate.console.overview.figures import (
    SERIES,
    Percentiles,
    Point,
    Span,
    Told,
    delivered_share,
    point_of,
)


def told(
    delivered: float, undeliverable: float = 0, spilled: float = 0, held: float = 0, age: float = 0
) -> Told:
    counts = {
        "DeliveredRecords": delivered,
        "UndeliverableRecords": undeliverable,
        "SpilledRecords": spilled,
    }
    return Told(counts, {"HeldRecords": held, "OldestRecordAge": age})


def test_the_share_is_of_what_was_to_be_delivered() -> None:
    assert delivered_share([told(9, undeliverable=1)]) == 0.9
    assert delivered_share([told(9, spilled=1)]) == 0.9
    assert delivered_share([told(9, held=1, age=1.0)]) == 0.9
    assert delivered_share([told(5), told(0, held=5, age=60)]) == 0.5
    assert delivered_share([told(0, held=3, age=2)]) == 0


def test_what_is_in_flight_is_not_counted_against_it() -> None:
    assert delivered_share([told(9, held=50, age=0.02)]) == 1


def test_there_is_no_share_while_there_is_nothing_to_deliver() -> None:
    assert delivered_share([]) is None
    assert delivered_share([told(0)]) is None


amounts = st.floats(0, 1e12)


@settings(deadline=None)
@given(st.lists(st.builds(told, amounts, amounts, amounts, amounts, amounts)))
def test_the_share_is_none_or_between_nothing_and_all(destinations: list[Told]) -> None:
    share = delivered_share(destinations)
    assert share is None or 0 <= share <= 1


def test_a_point_has_the_longest_put_latency_and_the_sum_of_what_is_held() -> None:
    destinations = {
        "a/x": Told({}, {"HeldRecords": 2, "HeldBytes": 20}, {"PutLatency": Percentiles(5, 90)}),
        "a/y": Told({}, {"HeldRecords": 3, "HeldBytes": 30}, {"PutLatency": Percentiles(7, 8)}),
    }
    service = Told(
        {"AcceptedEvents": 100, "RejectedEvents": 1}, {}, {"AcknowledgementLatency": Percentiles(1, 2)}
    )
    assert point_of(Span(50.0, 10.0, service, destinations)) == Point(
        at=50.0,
        events=600,
        rejected=6,
        share=None,
        acknowledged_p50=1,
        acknowledged_p99=2,
        put_p50=7,
        put_p99=90,
        held_records=5,
        held_bytes=50,
    )


def test_where_nothing_is_to_compare_with_nothing_counted_is_known() -> None:
    point = point_of(Span(50.0, None, Told({"AcceptedEvents": 0}), {"a/x": told(0)}))
    assert [name for name in SERIES if getattr(point, name) is not None] == ["held_records", "held_bytes"]
