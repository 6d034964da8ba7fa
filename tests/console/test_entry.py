"""Links and the sessions that they begin."""

from headgate.console.entry import LINK_SECONDS, MOST_SESSIONS, Door, brings


def test_a_link_is_good_once_and_for_ten_minutes() -> None:
    now = 0.0
    door = Door(lambda: now)
    first, second = door.link(), door.link()
    session = door.enter(first)
    assert session is not None
    assert door.enter(first) is None
    now = LINK_SECONDS + 1
    assert door.enter(second) is None
    assert door.session(session.token) == session


def test_nothing_else_lets_in() -> None:
    door = Door(lambda: 0.0)
    link = door.link()
    for given in ("", "x", link[:-1], link + "x", "é"):
        assert door.enter(given) is None
    assert door.session(None) is None
    assert door.session("") is None
    assert door.enter(link) is not None


def test_sessions_are_a_few_and_have_tokens_of_their_own() -> None:
    door = Door(lambda: 0.0)
    sessions = [door.enter(door.link()) for _ in range(MOST_SESSIONS + 1)]
    found = [each for each in sessions if each is not None]
    assert len(found) == len({each.csrf for each in found}) == MOST_SESSIONS + 1
    assert door.session(found[0].token) is None
    assert door.session(found[1].token) == found[1]
    assert brings(found[1], found[1].csrf)
    assert not brings(found[1], found[2].csrf)
    assert not brings(found[1], None)
