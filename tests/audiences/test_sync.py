"""Whatever snapshots come and wherever processes die, a consumer ends up with exactly the last snapshot."""

import json
import threading
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from headgate.audiences.record import Kind
from headgate.audiences.sending import Bounds
from headgate.audiences.sync import Guards
from headgate.errors import AwsError, BusyError, HeadgateError, UsageError
from tests.audiences.simulation import TARGETS, Life, Members, World

USERS = [f"u{number}" for number in range(14)]
ALL = dict.fromkeys(USERS, "true")
MEMBERS = st.sets(st.sampled_from(USERS)).map(lambda users: dict.fromkeys(sorted(users), "true"))
VALUES = st.dictionaries(st.sampled_from(USERS), st.sampled_from(["1", "2.50", '"x"', "true"]))
KILLS = st.lists(st.integers(0, 120), max_size=6)


def consumer_knows(world: World, last: Members) -> None:
    """Fail unless every destination's stream tells the last snapshot, and nobody else is said to be in."""
    gone = json.loads(world.computation.left)
    for target in TARGETS:
        known = world.stream.replayed(target, "spender")
        said = {user: value for user, value in known.items() if value is not gone}
        assert said == {user: json.loads(value) for user, value in last.items()}


def sync_all(world: World, snapshots: list[Members], kills: list[int], *, moves_on: bool) -> int:
    """Sync snapshots, the last one to its end, and return how many processes were killed meanwhile.

    Args:
        world: the audience.
        snapshots: what comes.
        kills: at which step each of the first processes dies, if it gets there.
        moves_on: whether the start after a kill has the next snapshot, and not the same.
    """
    left, killed, waiting = list(kills), 0, list(snapshots)
    while waiting:
        ended = world.run(waiting[0], left.pop(0) if left else None) is not None
        killed += not ended
        if ended or (moves_on and len(waiting) > 1):
            waiting.pop(0)
    return killed


@settings(max_examples=300)
@given(
    st.lists(MEMBERS, min_size=1, max_size=4),
    KILLS,
    st.integers(1, 9),
    st.integers(1, 4),
    st.booleans(),
    st.integers(0, 99),
)
def test_kills_lose_nothing_and_repeat_no_more_than_a_window_each(
    snapshots: list[Members], kills: list[int], window: int, together: int, moves_on: bool, seed: int
) -> None:
    world = World(bounds=Bounds(window=window, together=together), seed=seed)
    killed = sync_all(world, snapshots, kills, moves_on=moves_on)
    consumer_knows(world, snapshots[-1])
    for target in TARGETS:
        assert world.stream.copies(target) <= window * killed


@given(st.lists(VALUES, min_size=1, max_size=4), KILLS, st.booleans(), st.integers(0, 99))
def test_refusals_and_lost_answers_beside_kills_lose_nothing_either(
    snapshots: list[Members], kills: list[int], moves_on: bool, seed: int
) -> None:
    world = World(kind="trait", seed=seed, trouble=0.3)
    sync_all(world, snapshots, kills, moves_on=moves_on)
    consumer_knows(world, snapshots[-1])


def test_a_kill_at_each_single_step_is_survived() -> None:
    first, second = dict.fromkeys(USERS[:9], "true"), dict.fromkeys(USERS[5:], "true")
    steps = World().run(first)
    assert steps is not None
    for at in range(steps):
        world = World(seed=at)
        world.run(first, kill_at=at)
        world.run(first)
        world.run(second, kill_at=at)
        world.run(second)
        consumer_knows(world, second)
        assert len(world.content) == 2, "nothing is left but the document and the state"


def test_at_first_everybody_is_told_and_later_only_who_changed() -> None:
    world = World()
    world.run(dict.fromkeys(USERS[:9], "true"))
    assert world.stream.events(TARGETS[0]) == dict.fromkeys(USERS[:9], True)
    world.stream.clear()
    world.run(dict.fromkeys(USERS[2:10], "true"))
    assert world.stream.events(TARGETS[0]) == {"u0": False, "u1": False, "u9": True}
    assert world.screen.counts[-1].unchanged == 7


def test_a_snapshot_that_changes_nothing_sends_nothing_and_is_a_sync_all_the_same() -> None:
    world = World()
    world.run(ALL)
    world.stream.clear()
    world.run(ALL)
    assert not world.stream.events(TARGETS[0])
    last = world.screen.ends[-1]
    assert (last.syncs, last.members) == (2, len(ALL))
    assert last.finished is not None
    assert last.finished.counts.calls == 0


def test_a_repeated_sync_repeats_its_message_ids_and_another_has_others() -> None:
    world = World()
    assert world.run(ALL, kill_at=40) is None
    world.run(ALL)
    first = world.stream.message_ids(TARGETS[0])
    assert len(first) == len(ALL), "what was repeated has the same"
    world.run({})
    world.run(ALL)
    assert len(world.stream.message_ids(TARGETS[0])) == 3 * len(ALL)


def test_a_call_that_can_never_be_delivered_is_left_out_of_the_state_and_tried_again() -> None:
    world = World(never={"u3", "u8"})
    world.run(ALL)
    end = world.screen.ends[-1]
    assert (end.members, end.finished and end.finished.undeliverable) == (len(ALL) - 2, 2)
    world.never.clear()
    world.stream.clear()
    world.run(ALL)
    assert world.stream.events(TARGETS[0]) == {"u3": True, "u8": True}
    consumer_knows(world, dict.fromkeys(("u3", "u8"), "true"))
    assert world.screen.ends[-1].members == len(ALL)


def test_who_could_not_be_told_that_they_left_stays_in_the_state() -> None:
    world = World()
    world.run(ALL)
    world.never.add("u3")
    world.run({user: "true" for user in USERS if user != "u3"})
    assert world.screen.ends[-1].members == len(ALL)
    world.never.clear()
    world.run({user: "true" for user in USERS if user != "u3"})
    assert world.stream.replayed(TARGETS[0], "spender")["u3"] is False


def test_a_destination_that_takes_nothing_ends_the_sync_which_goes_on_later() -> None:
    world = World(bounds=Bounds(window=5, together=2, within=60.0), trouble=1.0)
    with pytest.raises(AwsError, match=r"^calls could not be delivered for 60 s: the destination is paused$"):
        world.run(ALL)
    world.trouble = 0.0
    world.run({**ALL, "more": "true"})
    consumer_knows(world, {**ALL, "more": "true"})
    assert [end.finished.counts.calls for end in world.screen.ends if end.finished] == [len(ALL), 1]


def test_a_snapshot_without_members_is_refused_unless_that_is_allowed() -> None:
    world = World(guards=Guards())
    with pytest.raises(HeadgateError, match=r"^the snapshot has no members.*--allow-empty"):
        world.run({})
    world.run(ALL)
    before = dict(world.content)
    with pytest.raises(HeadgateError, match=r"which would remove all 14; give --allow-empty"):
        world.run({})
    assert world.content == before, "nothing was begun"
    world.guards = Guards(allow_empty=True)
    world.run({})
    consumer_knows(world, {})


def test_a_snapshot_that_removes_too_many_is_refused() -> None:
    world = World(guards=Guards(max_removed=0.5))
    world.run(ALL)
    with pytest.raises(HeadgateError, match=r"would remove 8 of 14 members, 57.1%; allowed: 50.0%"):
        world.run(dict.fromkeys(USERS[:6], "true"))
    world.run(dict.fromkeys(USERS[:7], "true"))
    consumer_knows(world, dict.fromkeys(USERS[:7], "true"))


@pytest.mark.parametrize(("kind", "name"), [("audience", "spender!"), ("trait", "Spender")])
def test_a_key_that_another_has_is_refused(kind: Kind, name: str) -> None:
    world = World()
    world.run(ALL)
    before = dict(world.content)
    world.kind, world.name = kind, name
    said = rf"^the key 'spender' of source s is that of the audience 'Spender'; give the {kind} '{name}'"
    with pytest.raises(UsageError, match=said):
        world.run(ALL)
    assert world.content == before


def test_while_one_process_syncs_another_is_told_so() -> None:
    world = World()
    world.locks["s/spender/lock"] = Life()
    with pytest.raises(BusyError):
        world.run(ALL)
    world.locks["s/spender/lock"].dead = True
    world.run(ALL)
    consumer_knows(world, ALL)


def test_a_holder_that_has_lost_its_lock_sends_nothing_more_and_its_heir_goes_on() -> None:
    world = World(bounds=Bounds(window=4, together=2))
    world.lose_lock_after(6)
    with pytest.raises(BusyError):
        world.run(ALL)
    sent = len(world.stream.arrived[TARGETS[0]])
    assert 0 < sent < len(ALL)
    world.run(ALL)
    consumer_knows(world, ALL)
    assert world.stream.copies(TARGETS[0]) <= 4


def test_who_does_not_know_that_it_has_lost_its_lock_learns_it_within_a_window() -> None:
    world = World(bounds=Bounds(window=4, together=2))

    def taken_over() -> None:
        world.locks.clear()
        heir = World(bounds=world.bounds, content=world.content, stream=world.stream, seed=1, now=world.now)
        elsewhere = threading.Thread(target=heir.run, args=[ALL])
        elsewhere.start()
        elsewhere.join()
        taken_over_at.append(len(world.stream.arrived[TARGETS[0]]))

    taken_over_at: list[int] = []
    world.meanwhile_after(6, taken_over)
    with pytest.raises(BusyError):
        world.run(ALL)
    assert len(world.stream.arrived[TARGETS[0]]) - taken_over_at[0] <= 4
    consumer_knows(world, ALL)
    world.run({})
    consumer_knows(world, {})


def test_a_preview_shows_what_would_come_and_writes_nothing(tmp_path: Path) -> None:
    world = World()
    world.run(dict.fromkeys(USERS[:9], "true"), kill_at=30)
    before = dict(world.content)
    changes = world.process(dict.fromkeys(USERS[2:10], "true")).preview(tmp_path)
    assert world.content == before
    assert [(user, value) for _, _, user, value in changes] == [
        ("u0", "false"),
        ("u1", "false"),
        ("u9", "true"),
    ]
    assert world.screen.resumed, "an unfinished sync would be finished before"


def test_a_destination_that_is_new_is_said_to_be_told_only_what_changes() -> None:
    world = World()
    world.run(ALL)
    assert not world.screen.added
    world.destinations = ("s/audit", "s/events")
    world.run({**ALL, "more": "true"})
    assert world.screen.added == ["s/audit"]
