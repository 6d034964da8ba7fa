"""Shards in the order of their descent."""

from dataclasses import dataclass, field
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from headgate.reading.lineage import Lineage


def shard(shard_id: str, *parents: str) -> Any:
    return {
        "ShardId": shard_id,
        **dict(zip(("ParentShardId", "AdjacentParentShardId"), parents, strict=False)),
    }


def test_a_child_is_ready_once_both_of_its_parents_have_ended() -> None:
    lineage = Lineage()
    lineage.update([shard("a"), shard("b"), shard("merged", "a", "b")])
    assert lineage.ready() == ["a", "b"]
    lineage.end("a", closed=True)
    assert lineage.ready() == []
    lineage.end("b", closed=True)
    assert lineage.ready() == ["merged"]
    assert lineage.ready() == []


def test_a_parent_that_is_no_longer_listed_is_gone_unless_it_is_being_read() -> None:
    lineage = Lineage()
    lineage.update([shard("a"), shard("orphan", "long gone")])
    assert lineage.ready() == ["a", "orphan"]
    lineage.update([shard("child", "a")])
    assert lineage.ready() == []
    assert not lineage.has("a")
    lineage.end("a", closed=True)
    assert lineage.ready() == ["child"]


def test_a_closed_shard_s_children_are_awaited_until_they_are_listed() -> None:
    lineage = Lineage()
    lineage.update([shard("a"), shard("b")])
    lineage.end("b", closed=False)
    assert not lineage.awaits_children
    lineage.end("a", closed=True)
    assert lineage.awaits_children
    lineage.update([shard("a"), shard("b")])
    assert lineage.awaits_children
    lineage.update([shard("a"), shard("b"), shard("child", "a")])
    assert not lineage.awaits_children


@dataclass
class Stream:
    """A stream that splits and merges."""

    shards: dict[str, Any] = field(default_factory=lambda: {"s0": shard("s0"), "s1": shard("s1")})
    open: list[str] = field(default_factory=lambda: ["s0", "s1"])

    def reshard(self, at: int, *, split: bool) -> None:
        at %= len(self.open)
        parents = self.open[at : at + (1 if split else 2)]
        children = [f"s{len(self.shards) + number}" for number in range(2 if split else 1)]
        self.shards |= {child: shard(child, *parents) for child in children}
        self.open[at : at + len(parents)] = children


@given(
    st.lists(
        st.tuples(st.sampled_from(["split", "merge", "list", "read"]), st.integers(0, 1000)), max_size=60
    )
)
def test_every_shard_is_read_once_and_after_its_parents_whatever_happens(
    steps: list[tuple[str, int]],
) -> None:
    stream, lineage, reading, read = Stream(), Lineage(), ["s0", "s1"], list[str]()
    lineage.update(list(stream.shards.values()))
    assert lineage.ready() == reading

    def read_some(which: int) -> None:
        closed = [each for each in reading if each not in stream.open]
        if closed:
            ended = closed[which % len(closed)]
            reading.remove(ended)
            read.append(ended)
            lineage.end(ended, closed=True)
            reading.extend(lineage.ready())

    def list_again() -> None:
        lineage.update(list(stream.shards.values()))
        reading.extend(lineage.ready())

    for step, which in steps:
        if step == "list":
            list_again()
        elif step == "read":
            read_some(which)
        else:
            stream.reshard(which, split=step == "split")
    # Whoever lists as long as children are awaited misses none.
    while lineage.awaits_children or any(each not in stream.open for each in reading):
        list_again()
        read_some(0)
    order = read + reading
    assert sorted(order) == sorted(stream.shards)
    for shard_id, described in stream.shards.items():
        for parent in (described.get("ParentShardId"), described.get("AdjacentParentShardId")):
            assert parent is None or order.index(parent) < order.index(shard_id)
            assert parent is None or parent in read
