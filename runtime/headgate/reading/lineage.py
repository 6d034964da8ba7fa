"""Which shards may be read now: those whose parents have been read to their end, or are gone. Pure."""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mypy_boto3_kinesis.type_defs import ShardTypeDef


class Lineage:
    """The shards of one stream as far as they are known, and how far they have been read."""

    def __init__(self) -> None:
        self._parents: dict[str, tuple[str, ...]] = {}
        self._given: set[str] = set()
        self._ended: set[str] = set()
        self._closed: set[str] = set()
        """Those whose children are not listed yet."""

    def update(self, shards: "Sequence[ShardTypeDef]") -> None:
        """Take in the shards that a stream has now."""
        self._parents = {shard["ShardId"]: tuple(_parents(shard)) for shard in shards}
        self._note_children()

    def end(self, shard_id: str, *, closed: bool) -> None:
        """Note that a shard has been read to its end.

        Args:
            shard_id: the shard.
            closed: whether it was split or merged, so that it has children.
        """
        self._ended.add(shard_id)
        if closed:
            self._closed.add(shard_id)
            self._note_children()

    def ready(self) -> list[str]:
        """Return the shards that may be read from now on, each once: never a child before its parents."""
        found = [
            shard_id
            for shard_id, parents in self._parents.items()
            if shard_id not in self._given and not any(map(self._to_come, parents))
        ]
        self._given.update(found)
        return found

    @property
    def awaits_children(self) -> bool:
        """Whether a shard has closed whose children are not listed yet."""
        return bool(self._closed)

    def has(self, shard_id: str) -> bool:
        """Return whether the stream has a shard now; it forgets those that are older than its retention."""
        return shard_id in self._parents

    def _note_children(self) -> None:
        if self._closed:
            self._closed.difference_update(*self._parents.values())

    def _to_come(self, parent: str) -> bool:
        return parent not in self._ended and (parent in self._parents or parent in self._given)


def _parents(shard: "ShardTypeDef") -> Iterator[str]:
    for parent in (shard.get("ParentShardId"), shard.get("AdjacentParentShardId")):
        if parent:
            yield parent
