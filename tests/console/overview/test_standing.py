"""Settings and figures side by side, whichever of both knows a source or a destination."""

import pytest

from headgate.console.overview.figures import Look, Process, Span, Told
from headgate.console.overview.standing import State, destination_rows, source_rows
from headgate.console.sources import Listed
from headgate.metrics.emf import dimension
from headgate.settings.schema import Destination, Source
from headgate.status.report import Pause

DELIVERING = Told({"DeliveredRecords": 10, "ThrottledRecords": 2}, {"HeldRecords": 3, "HeldBytes": 30})


def listed(*streams: str, enabled: bool = True, of: str = "web", region: str = "us-west-2") -> Listed:
    destinations = tuple(Destination(stream_name=each, region=region) for each in streams)
    return Listed(
        Source(id=of, name=of.upper(), write_keys=("wk",), enabled=enabled, destinations=destinations)
    )


def look(
    destinations: dict[str, Told],
    *,
    accepted: dict[str, float] | None = None,
    seconds: float | None = 10.0,
    delivered: dict[str, float] | None = None,
    pauses: dict[str, Pause] | None = None,
    from_cloudwatch: bool = False,
) -> Look:
    process = Process(
        version="1",
        uptime_seconds=1,
        draining=False,
        restarts=[0],
        totals={},
        rejected={"web": {"bad": 1}},
        delivered=delivered or {},
        pauses=pauses or {},
    )
    span = Span(0.0, seconds, Told(), destinations, None if from_cloudwatch else accepted or {})
    return Look(
        points=[], span=span, recent={}, recent_seconds=0.0, process=None if from_cloudwatch else process
    )


def states(settings: list[Listed], seen: Look | None) -> dict[str, State]:
    return {row.stream_name: row.state for row in destination_rows(settings, seen)}


def test_each_destination_has_one_state() -> None:
    seen = look(
        {
            "web/a": DELIVERING,
            "web/b": Told({}, {"Paused": 1}),
            "web/c": Told({}, {"HeldRecords": 1, "OldestRecordAge": 30}),
            "web/d": Told(),
            "web/e": Told(),
            "web/gone": DELIVERING,
        },
        delivered={"web/d": 5},
    )
    assert states([listed("a", "b", "c", "d", "e", "f")], seen) == {
        "a": "delivering",
        "b": "paused",
        "c": "holding",
        "d": "quiet",
        "e": "nothing yet",
        "f": "nothing yet",
        "gone": "delivering",
    }
    [gone] = [row for row in destination_rows([listed("a")], seen) if row.stream_name == "gone"]
    assert gone.region is None


def test_without_figures_nothing_is_claimed() -> None:
    assert states([listed("a"), listed("b", enabled=False, of="off")], None) == {
        "a": "unknown",
        "b": "disabled",
    }
    assert states([listed("a")], look({"web/a": Told()}, seconds=None, delivered={"web/a": 1})) == {
        "a": "unknown"
    }


def test_a_disabled_destination_is_disabled_whatever_the_figures_say() -> None:
    assert states([listed("a", enabled=False)], look({"web/a": DELIVERING})) == {"a": "disabled"}


def test_why_it_is_paused_is_told_in_the_words_of_aws() -> None:
    pause = Pause("KMSDisabledException", "the key is disabled")
    [row] = destination_rows([listed("a")], look({"web/a": Told()}, pauses={"web/a": pause}))
    assert (row.state, row.pause) == ("paused", pause)


def test_those_that_need_somebody_come_first() -> None:
    seen = look({"web/a": DELIVERING, "web/z": Told({}, {"Paused": 1})})
    assert [row.stream_name for row in destination_rows([listed("a", "z")], seen)] == ["z", "a"]


def test_figures_are_as_rates() -> None:
    [row] = destination_rows([listed("a")], look({"web/a": DELIVERING}))
    assert row.flow is not None
    assert (row.flow.delivered, row.flow.throttled, row.flow.held_records, row.flow.held_bytes) == (
        60,
        12,
        3,
        30,
    )


def test_streams_of_one_name_share_their_figures_and_say_so() -> None:
    source = Source(
        id="web",
        write_keys=("wk",),
        destinations=(Destination(stream_name="a"), Destination(stream_name="a", region="eu-west-1")),
    )
    rows = destination_rows([Listed(source)], look({"web/a": DELIVERING}))
    assert [(row.region, row.shared) for row in rows] == [("eu-west-1", True), ("us-west-2", True)]


def test_a_source_of_either_side_is_shown() -> None:
    seen = look({}, accepted={"web": 5, "gone": 1})
    rows = source_rows([listed("a"), listed("b", of="new")], seen)
    assert [(row.id, row.enabled, row.accepted) for row in rows] == [
        ("gone", None, 6),
        ("new", True, 0),
        ("web", True, 30),
    ]
    assert [dict(row.rejected) for row in rows] == [{}, {}, {"bad": 1}]


def test_cloudwatch_tells_nothing_of_sources() -> None:
    [row] = source_rows([listed("a")], look({}, from_cloudwatch=True))
    assert (row.accepted, row.rejected) == (None, {})


@pytest.mark.parametrize("source_id", ["wéb", ":web", "a/b", "\N{SNOWMAN}" * 200])
def test_a_name_that_cloudwatch_does_not_take_is_found_again(source_id: str) -> None:
    seen = look({dimension(f"{source_id}/a"): DELIVERING}, from_cloudwatch=True)
    [row] = destination_rows([listed("a", of=source_id)], seen)
    assert (row.source_id, row.stream_name, row.state) == (source_id, "a", "delivering")


def test_in_cloudwatch_what_told_nothing_is_quiet() -> None:
    assert states([listed("a")], look({}, from_cloudwatch=True)) == {"a": "quiet"}
