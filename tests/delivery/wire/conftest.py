"""The wire's tests run on uvloop, as `headgate serve` does; those of connections on asyncio's own, too."""

import asyncio
from collections.abc import Callable, Mapping

import pytest
import uvloop


def pytest_asyncio_loop_factories(
    config: pytest.Config, item: pytest.Item
) -> Mapping[str, Callable[[], asyncio.AbstractEventLoop]]:
    loops: dict[str, Callable[[], asyncio.AbstractEventLoop]] = {"uvloop": uvloop.new_event_loop}
    if item.path.stem == "test_pool":
        loops["asyncio"] = asyncio.new_event_loop
    return loops
