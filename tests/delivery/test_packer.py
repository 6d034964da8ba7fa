from collections import deque

from hypothesis import given
from hypothesis import strategies as st

from headgate.delivery.packer import MAX_RECORDS, MAX_REQUEST_BYTES, pack
from headgate.delivery.submission import Record, Submission

SUBMISSION = Submission(lambda _: None)


def record(key: str, index: int, size: int = 10) -> Record:
    return Record(key, b"x" * size, SUBMISSION, index)


@given(
    st.lists(st.tuples(st.sampled_from("abcd"), st.sampled_from([1, 100, 400_000, 1_000_000])), max_size=40),
    st.integers(1, MAX_RECORDS),
    st.booleans(),
)
def test_requests_keep_every_limit_lose_nothing_and_keep_each_keys_order(
    wanted: list[tuple[str, int]], at_most: int, strict: bool
) -> None:
    records = [record(key, index, size) for index, (key, size) in enumerate(wanted)]
    waiting = deque(records)
    taken: list[Record] = []
    while waiting:
        request = pack(waiting, at_most=at_most, strict=strict)
        assert 1 <= len(request) <= at_most
        assert len(request) == 1 or sum(one.size for one in request) <= MAX_REQUEST_BYTES
        if strict:
            assert len({one.partition_key for one in request}) == len(request)
        taken += request
    assert sorted(one.index for one in taken) == list(range(len(records)))
    for key in "abcd":
        of_key = [one.index for one in taken if one.partition_key == key]
        assert of_key == sorted(of_key)


def test_a_request_takes_five_hundred_records() -> None:
    waiting = deque(record(str(index), index) for index in range(501))
    assert len(pack(waiting)) == 500
    assert [one.index for one in waiting] == [500]
