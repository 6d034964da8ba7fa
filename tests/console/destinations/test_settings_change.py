"""Changes for the version that somebody looked at, on a table in moto."""

from collections.abc import Iterator

import pytest

from headgate.console.destinations.settings_change import Done, Stale, change
from headgate.errors import UsageError
from headgate.settings.table.editing import assignment, edited
from headgate.settings.table.opened import OpenTable, open_table
from headgate.settings.table.stored import StoredSource
from tests.settings.table.in_moto import NAME, ROLE, World, world_in_moto


@pytest.fixture(scope="module")
def module_world() -> Iterator[World]:
    with world_in_moto() as world:
        yield world


@pytest.fixture
def world(module_world: World) -> World:
    module_world.begin()
    module_world.set("web", "write_keys=k", destination="events")
    return module_world


@pytest.fixture
def opened(world: World) -> OpenTable:
    return open_table(world.session, f"dynamodb://{NAME}")


def renamed(name: str, before: StoredSource | None) -> StoredSource:
    return edited("web", before, [assignment(f"name={name}")])


def test_a_change_makes_a_version_and_what_is_as_it_was_makes_none(opened: OpenTable) -> None:
    done = change(opened, "web", 1, lambda before: renamed("Web", before))
    assert isinstance(done, Done)
    assert (done.number, done.changes) == (2, [{"field": "name", "old": "", "new": "Web"}])
    assert done.kept is not None
    assert opened.table.source("web") == done.kept
    again = change(opened, "web", 2, lambda before: before)
    assert again == Done(done.kept, None)
    gone = change(opened, "web", 2, lambda _: None)
    assert isinstance(gone, Done)
    assert (gone.kept, gone.number, opened.table.source("web")) == (None, 3, None)


def test_a_secret_id_is_encrypted_with_the_tables_own_key(opened: OpenTable, world: World) -> None:
    done = change(
        opened,
        "web",
        1,
        lambda before: edited(
            "web",
            before,
            [assignment(f"role_address={ROLE}")],
            destination="events",
            secret_id="only-for-a-role",
        ),
    )
    assert isinstance(done, Done)
    assert "only-for-a-role" not in world.dump()
    [source] = world.store().latest().sources().values()
    assert source.destinations[0].secret_id == "only-for-a-role"


@pytest.mark.parametrize("version", [0, 2])
def test_a_change_for_another_version_is_too_late(opened: OpenTable, version: int) -> None:
    stale = change(opened, "web", version, lambda _: pytest.fail("it is not to be made"))
    assert isinstance(stale, Stale)
    assert stale.kept is not None
    assert stale.kept.number == 1
    assert [entry.number for entry in stale.meanwhile] == ([1] if version == 0 else [])


def test_a_change_that_another_overtakes_is_too_late(opened: OpenTable, world: World) -> None:
    def make(before: StoredSource | None) -> StoredSource:
        world.set("web", "name=Theirs")
        return renamed("Mine", before)

    stale = change(opened, "web", 1, make)
    assert isinstance(stale, Stale)
    assert stale.kept is not None
    assert (stale.kept.number, stale.kept.source.name) == (2, "Theirs")
    assert [entry.number for entry in stale.meanwhile] == [2]


def test_what_others_removed_is_not_there_any_more(opened: OpenTable, world: World) -> None:
    world.remove("web")
    stale = change(opened, "web", 1, lambda _: pytest.fail("it is not to be made"))
    assert isinstance(stale, Stale)
    assert (stale.kept, [entry.number for entry in stale.meanwhile]) == (None, [2])


def test_what_cannot_be_made_changes_nothing(opened: OpenTable, world: World) -> None:
    before = world.dump()
    with pytest.raises(UsageError, match="no field"):
        change(opened, "web", 1, lambda source: edited("web", source, [assignment("nonsense=1")]))
    assert world.dump() == before
