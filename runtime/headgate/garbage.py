"""Python's search for cyclic garbage, for a process that holds thousands of events for a moment each."""

import gc

OBJECTS = 5_000
"""So many objects more than at the last search make the next one due; Python's own figure is 700.

What is held while requests are under way is no garbage, and looking through it again and again costs as much
as delivering it. An event and its request are part of no cycle: they go when they are done with.
"""


def search_seldom() -> None:
    """Search seldom from now on, and never again through what is there now: modules and settings."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(OBJECTS)
