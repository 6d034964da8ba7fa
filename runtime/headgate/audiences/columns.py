"""Which columns of the files say what."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Columns:
    """The names of the columns; one identifier at least."""

    user_id: str | None = "user_id"
    anonymous_id: str | None = None
    value: str | None = None
    """The trait's value; None for an audience, whose every row is a member."""

    @property
    def identifiers(self) -> list[tuple[str, str]]:
        """The kind of each identifier that is asked for, and its column."""
        kinds = (("userId", self.user_id), ("anonymousId", self.anonymous_id))
        return [(kind, column) for kind, column in kinds if column is not None]

    @property
    def names(self) -> list[str]:
        """All of them."""
        return [name for name in (self.user_id, self.anonymous_id, self.value) if name is not None]
