"""Changes by several at once: none is lost, none is made for what is not there any more."""

import threading
from collections.abc import Callable

import pytest

from headgate.errors import HeadgateError, SettingsError
from headgate.settings.table.client import SettingsTable
from headgate.settings.table.editing import assignment, edited
from headgate.settings.table.transactions import Change
from headgate.settings.table.writer import StaleChange, caller
from tests.settings.table.in_moto import NAME, REGION, WHO, World, calls_of


def all_at_once(*works: Callable[[], None]) -> None:
    failed: list[BaseException] = []

    def run(work: Callable[[], None]) -> None:
        try:
            work()
        except BaseException as error:
            failed.append(error)

    threads = [threading.Thread(target=run, args=(work,)) for work in works]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failed == []


def test_of_changes_by_many_at_once_none_is_lost(world: World) -> None:
    world.set("shared", "write_keys=wk", "allowed_origins=null", destination="events")
    origins = [f"https://{number}.example" for number in range(6)]

    def add(origin: str) -> None:
        while True:
            try:
                world.set("shared", f"allowed_origins+={origin}")
            except StaleChange:
                continue
            return

    def make(number: int) -> None:
        world.set(f"s{number}", f"write_keys=wk_{number}", destination="events")

    all_at_once(*[lambda o=origin: add(o) for origin in origins], *[lambda n=n: make(n) for n in range(3)])  # type: ignore[misc]
    found = {source.id: source for source in world.store().latest().sources().values()}
    assert set(found["shared"].allowed_origins) == {"null", *origins}
    assert found.keys() == {"shared", "s0", "s1", "s2"}
    history = list(world.table.history(None))
    assert [each.number for each in history] == list(range(10, 0, -1))
    assert {each.changed_by for each in history} == {WHO}


def test_of_two_that_take_one_write_key_one_gets_it(world: World) -> None:
    taken: list[str] = []
    refused: list[str] = []

    def take(name: str) -> None:
        try:
            world.set(name, "write_keys=wanted", destination="events")
        except SettingsError as error:
            refused.append(str(error))
        else:
            taken.append(name)

    all_at_once(*[lambda n=n: take(n) for n in ("a", "b", "c", "d")])  # type: ignore[misc]
    [owner] = taken
    assert len(refused) == 3
    assert all(f"is a write key of '{owner}'" in each and "wanted" not in each for each in refused)
    assert [source.id for source in world.store().latest().sources().values()] == [owner]
    world.remove(owner)
    world.set("e", "write_keys=wanted", destination="events")


def test_a_stale_change_names_both_versions_and_who_was_first(world: World) -> None:
    world.set("web", "write_keys=wk", destination="events")
    before = world.table.source("web")
    assert before is not None
    stale = edited("web", before.source, [assignment("name=stale")])
    world.set("web", "enabled=false")
    with pytest.raises(StaleChange) as refused:
        world.writer().write([Change(before, stale)])
    now = world.table.source("web")
    assert now is not None
    assert str(refused.value) == (
        f"the source 'web': the change was made for version 1, and it is at version 2, changed by {WHO} at "
        f"{now.changed_at}; look at it again"
    )
    assert refused.value.exit_status == 1
    assert (now.source.enabled, now.source.name) == (False, "")
    with pytest.raises(StaleChange, match="made for no such source, and it is at version 2"):
        world.writer().write([Change(None, stale)])
    world.remove("web")
    with pytest.raises(StaleChange, match="made for version 1, and there is none now"):
        world.writer().write([Change(before, stale)])


def test_a_source_that_is_made_again_never_has_a_version_that_it_had(world: World) -> None:
    world.set("web", "write_keys=wk", destination="events")
    before = world.table.source("web")
    world.remove("web")
    world.set("web", "write_keys=wk", destination="events")
    assert before is not None
    with pytest.raises(StaleChange, match="made for version 1, and it is at version 3"):
        world.writer().write([Change(before, None)])


def test_of_a_refused_transaction_nothing_is_written(world: World) -> None:
    world.set("a", "write_keys=wk", destination="events")
    before = world.dump()
    changes = [
        Change(None, edited(name, None, [assignment(f"write_keys={key}")], destination="events"))
        for name, key in (("b", "wk_b"), ("c", "wk"))
    ]
    sealed = [Change(None, world.sealed(each.after)) for each in changes if each.after]
    with pytest.raises(SettingsError, match="is a write key of 'a'"):
        world.writer().write(sealed)
    assert world.dump() == before


def test_what_dynamodb_does_not_take_is_known_before_anything_is_written(world: World) -> None:
    keys = ",".join(f"wk_{number}" for number in range(99))
    sources = [
        edited(name, None, [assignment(f"write_keys={text}")], destination="events")
        for name, text in (("first", "wk"), ("last", keys))
    ]
    with pytest.raises(SettingsError, match="write_keys of 'last'"):
        world.writer().write([Change(None, world.sealed(each)) for each in sources])
    assert world.table.version() is None


def test_many_sources_are_written_in_few_transactions(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    sources = [
        world.sealed(edited(f"s{n}", None, [assignment(f"write_keys=k{n}")], destination="events"))
        for n in range(100)
    ]
    called = calls_of(monkeypatch)
    assert world.writer().write([Change(None, each) for each in sources]) == 4
    assert called.count("transact_write_items") == 4
    assert len(world.store().latest().sources()) == 100


def test_who_gives_up_says_so(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    world.set("a", "write_keys=wk", destination="events")
    old = world.table.version()
    world.set("a", "name=A")
    waits: list[float] = []
    monkeypatch.setattr(SettingsTable, "version", lambda _: old)
    writer = world.writer()
    object.__setattr__(writer, "sleep", waits.append)
    change = Change(None, world.sealed(edited("b", None, [assignment("write_keys=b")], destination="events")))
    with pytest.raises(HeadgateError, match=f"dynamodb://{NAME}: others change it all the time"):
        writer.write([change])
    assert len(waits) == 30
    assert max(waits) <= 1


def test_the_caller_is_who_sts_says(world: World) -> None:
    assert caller(world.session, REGION).startswith("arn:aws:sts::123456789012:")
