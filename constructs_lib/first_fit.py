"""Placing things in as few bins as they fit into, so that what is placed once never moves."""

from collections.abc import Callable, Sequence


def first_fit(items: Sequence[str], size: Callable[[Sequence[str]], int], limit: int) -> list[list[str]]:
    """Return the bins: each item, in order, goes into the first that has room for it.

    For items of one length, as IDs of one kind are, no other way needs fewer bins; and other than ways that
    sort first, an item that is appended leaves all others where they are. An item that is over the limit by
    itself gets a bin of its own.
    """
    bins: list[list[str]] = []
    for item in items:
        for placed in bins:
            if size([*placed, item]) <= limit:
                placed.append(item)
                break
        else:
            bins.append([item])
    return bins
