"""Snapshots for property tests."""

from typing import Any

from hypothesis import strategies as st

from headgate.metrics import names
from headgate.metrics.histogram import VALUES
from headgate.metrics.snapshot import Figures, Snapshot

DESTINATIONS = ["s1/events", "s1/audit", "s2/events"]

BUCKETS = st.dictionaries(st.integers(0, len(VALUES) - 1), st.integers(1, 1000), min_size=1, max_size=5)


def figures(*, per_destination: bool) -> st.SearchStrategy[Figures]:
    def of(kind: type[names.Metric], values: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
        every = [each for each in names.METRICS.values() if each.per_destination is per_destination]
        found = [each.name for each in every if isinstance(each, kind)]
        return st.dictionaries(st.sampled_from(found), values, max_size=4) if found else st.just({})

    return st.builds(
        Figures,
        of(names.Counter, st.integers(1, 10**9)),
        of(names.Gauge, st.integers(0, 1000).map(float)),
        of(names.Distribution, BUCKETS),
    )


SNAPSHOTS = st.builds(
    Snapshot,
    figures(per_destination=False),
    st.dictionaries(st.sampled_from(DESTINATIONS), figures(per_destination=True), max_size=3),
)
