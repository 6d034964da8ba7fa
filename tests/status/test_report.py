import pytest

from headgate.status.report import (
    DestinationStatus,
    Lane,
    Pause,
    SourceStatus,
    merged_destination,
    merged_source,
)

WELL = DestinationStatus(endpoint="https://kinesis", wire="cbor")


def test_sources_add_up_by_code() -> None:
    one, two = SourceStatus(3, {"bad_request": 1}), SourceStatus(4, {"bad_request": 1, "too_large": 2})
    assert merged_source([one, two]) == SourceStatus(7, {"bad_request": 2, "too_large": 2})


@pytest.mark.parametrize(
    "ill",
    [
        DestinationStatus(endpoint="https://kinesis", wire="json"),
        DestinationStatus(endpoint="https://kinesis", wire="cbor", mode="singles"),
        DestinationStatus(endpoint="https://kinesis", wire="cbor", paused=Pause("AccessDenied", "no")),
    ],
)
def test_what_ails_a_destination_in_one_worker_ails_it_as_a_whole(ill: DestinationStatus) -> None:
    assert merged_destination([WELL, ill]) == merged_destination([ill, WELL]) == ill


def test_lanes_of_one_shard_become_one() -> None:
    def status(*lanes: Lane) -> DestinationStatus:
        return DestinationStatus(endpoint="https://kinesis", wire="cbor", lanes=list(lanes))

    one = status(Lane("shard-2", 1, 10, None, 0), Lane(None, 5, 50, None, 0), Lane("shard-1", 2, 20, 100, 7))
    two = status(Lane("shard-1", 3, 30, 200, 1), Lane(None, 1, 1, None, 0))
    assert merged_destination([one, two]).lanes == [
        Lane(None, 6, 51, None, 0),
        Lane("shard-1", 5, 50, 300, 8),
        Lane("shard-2", 1, 10, None, 0),
    ]
