"""Where a write key's events go, worked out once for every change of the settings."""

from collections.abc import Mapping

from headgate.delivery.target import Target
from headgate.ingest.cors import Origins
from headgate.ingest.shares import Share, sharing
from headgate.settings.schema import Source
from headgate.settings.targets import target_of
from headgate.settings.write_keys import hash_of, is_hashed


class Route:
    """A source as a request needs it."""

    __slots__ = ("excluded", "origins", "source", "targets")

    def __init__(self, source: Source) -> None:
        self.source = source
        self.origins = Origins(source.allowed_origins)
        shares: dict[Target, list[Share]] = {}
        for each in source.destinations:
            if source.enabled and each.enabled:
                shares.setdefault(target_of(source, each), []).append((each.event_types, each.partitioned_by))
        self.targets = [(target, sharing(*given)) for target, given in shares.items()]
        """Each target of the enabled destinations, and what makes its records of a request's events."""
        names = {target_of(source, each).name for each in source.destinations}
        self.excluded = sorted(names - {target.name for target, _ in self.targets})
        """The names of the other destinations."""


class Routes:
    """The route of every write key.

    Args:
        sources: the source of every write key, as a client sends it or as its hash.
        before: the routes that these follow: those of sources that are the same stay.
    """

    def __init__(self, sources: Mapping[str, Source], before: "Routes | None" = None) -> None:
        known = before._by_id if before is not None else {}
        self._by_id: dict[str, Route] = {}
        self._by_write_key: dict[str, Route] = {}
        self._by_hash: dict[str, Route] = {}
        for key, source in sources.items():
            route = self._by_id.get(source.id)
            if route is None:
                route = known.get(source.id)
                if route is None or route.source is not source:
                    route = Route(source)
                self._by_id[source.id] = route
            (self._by_hash if is_hashed(key) else self._by_write_key)[key] = route
        # Without any source the answer is 503, which a page has to be able to read, to send again.
        self.origins = Origins(
            (origin for route in self._by_id.values() for origin in route.source.allowed_origins)
            if sources
            else "*"
        )
        """What any source allows: all that is known of a request before its write key is."""

    @property
    def targets(self) -> set[Target]:
        """Every enabled destination."""
        return {target for route in self._by_id.values() for target, _ in route.targets}

    def get(self, write_key: str | None) -> Route | None:
        """Return the route of a write key as a client sends it; None where it is missing or unknown."""
        if not write_key:
            return None
        route = self._by_write_key.get(write_key)
        if route is None and self._by_hash:
            route = self._by_hash.get(hash_of(write_key))
            if route is not None:  # found without its hash from now on; of these there are as many as hashes
                self._by_write_key[write_key] = route
        return route
