"""What a sample keeps."""

from headgate.reading import sample as sample_module
from headgate.reading.record import Record
from headgate.reading.sample import Sample


def record(key: str, arrival: float = 100.5, data: bytes = b"12345678") -> Record:
    return Record("1", key, arrival, data)


def test_it_counts_by_second_and_by_partition_key() -> None:
    sample = Sample(100.0, 103.0)
    sample.add([record("aa"), record("bb", 100.9), record("aa", 102.0, b"")])
    assert (sample.total.records, sample.total.bytes) == (3, 22)
    assert {second: each.records for second, each in sample.seconds.items()} == {100: 2, 102: 1}
    assert {key: (each.records, each.bytes) for key, each in sample.keys.items()} == {
        "aa": (2, 12),
        "bb": (1, 10),
    }


def test_what_arrived_before_or_after_is_left_out() -> None:
    sample = Sample(100.0, 103.0)
    sample.add([record("a", 99.999), record("a", 103.0), record("a", 100.0), record("a", 102.999)])
    assert sample.total.records == 2


def test_of_very_many_partition_keys_the_busiest_are_kept() -> None:
    sample = Sample(100.0, 103.0)
    rare = (f"user-{number}" for number in range(10 * sample_module.MOST_KEYS))
    for number, key in enumerate(rare):
        sample.add([record(key)])
        if number % 1_000 == 0:
            sample.add([record("hot"), record("large", data=b"x" * 10_000)])
    assert len(sample.keys) < 2 * sample_module.MOST_KEYS
    assert sample.keys["hot"].records == sample.keys["large"].records == 100
    assert sample.total.records == 10 * sample_module.MOST_KEYS + 200
