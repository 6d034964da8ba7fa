"""Where a write key's events go, worked out once for every change of the settings."""

from collections.abc import Callable, Mapping

from headgate.delivery.target import Target
from headgate.ingest.cors import Origins
from headgate.ingest.shares import Share, sharing
from headgate.settings.schema import Source
from headgate.settings.targets import target_of


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
    """The route of every write key."""

    def __init__(self, sources: Mapping[str, Source]) -> None:
        by_id = {source.id: Route(source) for source in sources.values()}
        self._by_write_key = {key: by_id[source.id] for key, source in sources.items()}
        self.get: Callable[[str | None], Route | None] = self._by_write_key.get  # type: ignore[assignment]
        """Returns the route of a write key; None where it is missing or unknown."""
        # Without any source the answer is 503, which a page has to be able to read, to send again.
        self.origins = Origins(
            (origin for source in sources.values() for origin in source.allowed_origins) if sources else "*"
        )
        """What any source allows: all that is known of a request before its write key is."""

    @property
    def targets(self) -> set[Target]:
        """Every enabled destination."""
        return {target for route in self._by_write_key.values() for target, _ in route.targets}
