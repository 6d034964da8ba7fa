"""How records that tell their order are counted."""

from bench.losses.records import OVERSIZE, numbered
from bench.losses.scenarios import inversions
from headgate.testing import AcceptedRecord


def came_in(*numbers: int) -> list[AcceptedRecord]:
    return [
        AcceptedRecord("events", "shardId-000000000000", str(at), "u", b"%-800d" % number, "r", 0.0)
        for at, number in enumerate(numbers)
    ]


def test_a_record_behind_a_later_one_of_its_key_is_an_inversion_and_a_duplicate_is_none() -> None:
    assert inversions(came_in(1, 2, 3)) == 0
    assert inversions(came_in(2, 1, 3)) == 1
    assert inversions(came_in(3, 1, 2)) == 2
    assert inversions(came_in(1, 2, 1, 3, 2)) == 0


def test_records_are_the_same_in_every_run_and_one_may_be_too_large() -> None:
    records = list(numbered(200, 1_000, 500))
    assert records == list(numbered(200, 1_000, 500))
    assert [int(data[:20]) for _, data in records] == list(range(1_000))
    assert {number: len(data) for number, (_, data) in enumerate(records) if len(data) != 800} == {
        500: OVERSIZE
    }
    assert len({key for key, _ in numbered(200, 20_000)}) == 200
