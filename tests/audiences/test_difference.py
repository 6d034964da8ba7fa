"""Changes between a snapshot and the delivered state, and the state once some of them are delivered."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from headgate.audiences.changes import read
from headgate.audiences.columns import Columns
from headgate.audiences.difference import Difference, Ranges, write_changes, write_state
from headgate.audiences.snapshot import read_snapshot
from headgate.errors import HeadgateError

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

Members = Mapping[tuple[str, str], str]
USER, ANONYMOUS = "userId", "anonymousId"
LEFT = "null"


class Syncs:
    """One audience, sync after sync, in files of a directory."""

    def __init__(self, db: "DuckDBPyConnection", directory: Path) -> None:
        self.db, self.directory = db, directory
        self.state: Path | None = None
        self.number = 0
        self._calls: list[tuple[int, str, str, str]] | None = None
        self.told: dict[tuple[str, str], str] = {}
        """What the stream says of each user: the value of the last call."""

    def compare(self, members: Members) -> Difference:
        self.number += 1
        self._calls = None
        file = self.directory / "members.jsonl"
        rows = [
            {"user_id": user if kind == USER else None, "a": user if kind == ANONYMOUS else None}
            | {"v": json.loads(value)}
            for (kind, user), value in members.items()
        ]
        # A line that has every column, so that none is missing in a snapshot of few.
        file.write_text("\n".join(map(json.dumps, [*rows, {"user_id": None, "a": None, "v": None}])))
        read_snapshot(self.db, [file], Columns(anonymous_id="a", value="v"))
        return write_changes(self.db, self.state, self.changes, left=LEFT)

    @property
    def changes(self) -> Path:
        return self.directory / f"changes-{self.number}.parquet"

    def deliver(self, delivered: Ranges) -> None:
        after = self.directory / f"state-{self.number % 2}.parquet"
        for number, kind, user, value in self.calls():
            if any(start <= number < end for start, end in delivered):
                self.told[kind, user] = value
        count = write_state(self.db, self.state, self.changes, delivered, after)
        self.state = after
        assert count == len(self.members())

    def calls(self) -> list[tuple[int, str, str, str]]:
        if self._calls is None:
            self._calls = [change for batch in read(self.changes, 0) for change in batch]
        return self._calls

    def members(self) -> dict[tuple[str, str], str]:
        rows = self.db.execute("SELECT kind, id, value FROM read_parquet(?)", [str(self.state)]).fetchall()
        assert len({(kind, user) for kind, user, _ in rows}) == len(rows)
        return {(kind, user): value for kind, user, value in rows}


@pytest.fixture
def syncs(db: "DuckDBPyConnection", tmp_path: Path) -> Syncs:
    return Syncs(db, tmp_path)


def users(**values: str) -> Members:
    return {(USER, user): value for user, value in values.items()}


def test_the_first_sync_is_everyone_and_a_later_one_who_entered_left_or_changed(syncs: Syncs) -> None:
    assert syncs.compare(users(a="1", b="2", c="3")) == Difference(3, 0, 0, 0, 0, 3)
    syncs.deliver([(0, 3)])
    assert syncs.compare(users(b="2", c="4", d="5", e="6")) == Difference(2, 1, 1, 1, 3, 4)
    numbers, *_ = zip(*syncs.calls(), strict=True)
    assert numbers == (0, 1, 2, 3)
    assert {(user, value) for _, _, user, value in syncs.calls()} == {
        ("a", "null"), ("c", "4"), ("d", "5"), ("e", "6"),
    }  # fmt: skip
    syncs.deliver([(0, 4)])
    assert syncs.members() == users(b="2", c="4", d="5", e="6")
    assert syncs.compare(users(b="2", c="4", d="5", e="6")) == Difference(0, 0, 0, 4, 4, 4)
    assert syncs.calls() == []


def test_the_changes_say_what_was_before(syncs: Syncs) -> None:
    syncs.compare(users(a="1", b="2"))
    syncs.deliver([(0, 2)])
    syncs.compare(users(b="3", c="4"))
    rows = syncs.db.execute(
        "SELECT id, value, was, member FROM read_parquet(?) ORDER BY id", [str(syncs.changes)]
    ).fetchall()
    assert rows == [("a", "null", "1", False), ("b", "3", "2", True), ("c", "4", None, True)]


def test_a_user_id_and_an_anonymous_id_of_one_text_are_two_identifiers(syncs: Syncs) -> None:
    syncs.compare({(USER, "x"): "1", (ANONYMOUS, "x"): "1"})
    syncs.deliver([(0, 2)])
    assert syncs.compare({(USER, "x"): "1"}) == Difference(0, 1, 0, 1, 2, 1)
    assert syncs.calls() == [(0, ANONYMOUS, "x", "null")]


def test_a_value_of_false_is_a_members_and_no_exit(syncs: Syncs) -> None:
    syncs.compare(users(a="false"))
    syncs.deliver([(0, 1)])
    assert syncs.members() == users(a="false")


def test_what_was_not_delivered_is_a_change_again(syncs: Syncs) -> None:
    syncs.compare(users(**{f"u{number}": "1" for number in range(10)}))
    syncs.deliver([(0, 2), (3, 3), (4, 7), (9, 10)])
    missing = {user for number, _, user, _ in syncs.calls() if number in (2, 3, 7, 8)}
    assert syncs.compare(users(**{f"u{number}": "1" for number in range(10)})).calls == 4
    assert {user for _, _, user, _ in syncs.calls()} == missing
    syncs.deliver([])
    assert syncs.compare({}) == Difference(0, 6, 0, 0, 6, 0)


def test_many_members_are_in_an_order_that_their_identifiers_do_not_have(syncs: Syncs) -> None:
    syncs.compare(users(**{f"u{number:05}": "1" for number in range(30_000)}))
    calls = syncs.calls()
    assert [number for number, *_ in calls] == list(range(30_000))
    first = [int(user[1:]) for _, _, user, _ in calls[:1_000]]
    assert 12_000 < sum(first) / len(first) < 18_000
    syncs.deliver([(0, 12_345), (12_346, 30_000)])
    assert len(syncs.members()) == 29_999


@pytest.mark.parametrize("delivered", [[(0, 3)], [(1, 2), (0, 1)], [(0, 2), (1, 2)], [(-1, 1)]])
def test_ranges_that_cannot_be_are_a_defect_of_the_caller(
    syncs: Syncs, delivered: list[tuple[int, int]]
) -> None:
    syncs.compare(users(a="1", b="1"))
    with pytest.raises(ValueError, match="ranges that are not sorted"):
        write_state(syncs.db, None, syncs.changes, delivered, syncs.directory / "state.parquet")


def test_a_state_that_cannot_be_read_is_named_in_one_line(syncs: Syncs) -> None:
    syncs.compare(users(a="1"))
    syncs.state = syncs.directory / "state.parquet"
    syncs.state.write_bytes(b"no Parquet at all")
    with pytest.raises(
        HeadgateError, match=r"state\.parquet cannot be compared with the snapshot: "
    ) as failed:
        syncs.compare(users(a="1"))
    assert "\n" not in str(failed.value)
    with pytest.raises(HeadgateError, match=r"cannot be made into the next state: "):
        write_state(syncs.db, None, syncs.state, [], syncs.directory / "next.parquet")


SNAPSHOTS = st.dictionaries(
    st.tuples(st.sampled_from([USER, ANONYMOUS]), st.sampled_from(["a", "b", "c", "A", "é", "a "])),
    st.sampled_from(["1", "true", "false", '"1"', "1.0"]),
)
# For each sync, which of its calls are acknowledged: all where the list is empty.
ROUNDS = st.lists(st.tuples(SNAPSHOTS, st.lists(st.booleans(), max_size=12)), min_size=1, max_size=4)


@settings(max_examples=25, deadline=None)
@given(ROUNDS)
def test_the_stream_says_of_every_user_what_the_last_snapshot_does_whatever_was_delivered_before(
    db: "DuckDBPyConnection",
    tmp_path_factory: pytest.TempPathFactory,
    rounds: list[tuple[Members, list[bool]]],
) -> None:
    syncs = Syncs(db, tmp_path_factory.getbasetemp())
    for snapshot, acknowledged in [*rounds, (rounds[-1][0], [])]:
        before = {} if syncs.state is None else syncs.members()
        found = syncs.compare(snapshot)
        assert found.members_before == len(before)
        assert found.members_now == len(snapshot)
        calls = {(kind, user): value for _, kind, user, value in syncs.calls()}
        assert calls == {
            who: snapshot.get(who, LEFT)
            for who in {*before, *snapshot}
            if before.get(who) != snapshot.get(who)
        }
        assert found.entered == len(snapshot.keys() - before.keys())
        assert found.left == len(before.keys() - snapshot.keys())
        assert found.calls == len(calls)
        assert found.unchanged == len(snapshot) - found.entered - found.changed
        flags = (acknowledged or [True]) * len(calls)
        delivered = [(number, number + 1) for number in range(len(calls)) if flags[number]]
        syncs.deliver(delivered)
    assert syncs.members() == rounds[-1][0]
    assert {who: value for who, value in syncs.told.items() if value != LEFT} == rounds[-1][0]
