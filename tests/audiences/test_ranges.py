from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from headgate.audiences.ranges import Ranges

PAIRS = st.lists(st.tuples(st.integers(0, 60), st.integers(0, 60)), max_size=20)


@given(PAIRS)
def test_ranges_hold_what_was_added_and_nothing_else(pairs: list[tuple[int, int]]) -> None:
    ranges = Ranges(pairs)
    numbers = {number for start, end in pairs for number in range(start, end)}
    assert {number for number in range(-1, 62) if number in ranges} == numbers
    assert ranges.count == len(numbers)
    assert ranges.end == max(numbers, default=-1) + 1
    assert ranges.first_missing == min(set(range(62)) - numbers)


@given(PAIRS)
def test_pairs_are_sorted_and_none_touches_another(pairs: list[tuple[int, int]]) -> None:
    found = Ranges(pairs).pairs
    assert all(start < end for start, end in found)
    assert all(one[1] < other[0] for one, other in pairwise(found))
    assert Ranges(found).pairs == found
