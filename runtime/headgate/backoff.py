"""How long to wait before the next try: longer after every failure in a row, never in step with others."""

FIRST_SECONDS, LONGEST_SECONDS = 0.1, 5.0


def seconds(
    failures: int, spread: float, *, first: float = FIRST_SECONDS, longest: float = LONGEST_SECONDS
) -> float:
    """Return the seconds to wait after `failures` failures in a row.

    Args:
        failures: 1 or more.
        spread: a random number from 0 to 1; the wait is between half of the whole time and all of it.
        first: the whole time after the first failure; it doubles with each further one.
        longest: the whole time is never more than this.
    """
    return min(first * 2.0 ** min(failures - 1, 30), longest) * (0.5 + spread / 2)
