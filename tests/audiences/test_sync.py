"""Whatever snapshots come and wherever processes die, a consumer ends up with exactly the last snapshot."""

import json

from hypothesis import given
from hypothesis import strategies as st

from headgate.audiences.sending import Bounds
from tests.audiences.simulation import TARGETS, Members, World

USERS = [f"u{number}" for number in range(14)]
ALL = dict.fromkeys(USERS, "true")
MEMBERS = st.sets(st.sampled_from(USERS)).map(lambda users: dict.fromkeys(sorted(users), "true"))
VALUES = st.dictionaries(st.sampled_from(USERS), st.sampled_from(["1", "2.50", '"x"', "true"]))
KILLS = st.lists(st.integers(0, 120), max_size=6)


def consumer_knows(world: World, last: Members) -> None:
    """Fail unless every destination's stream tells the last snapshot, and of nobody else that they are in it."""
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
