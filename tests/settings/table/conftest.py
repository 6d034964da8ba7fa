from collections.abc import Iterator

import pytest

from tests.settings.table.in_moto import World, world_in_moto


@pytest.fixture(scope="module")
def module_world() -> Iterator[World]:
    with world_in_moto() as world:
        yield world


@pytest.fixture
def world(module_world: World) -> World:
    module_world.begin()
    return module_world
