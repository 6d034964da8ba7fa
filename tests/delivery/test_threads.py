"""Calls that block: one that hangs holds up no other, and not the end of the loop."""

import asyncio
import threading

import pytest

from headgate.delivery.threads import in_thread


async def test_what_a_call_returns_or_raises_comes_back() -> None:
    assert await in_thread(lambda: 42) == 42
    with pytest.raises(ZeroDivisionError):
        await in_thread(lambda: 1 // 0)


def test_calls_that_hang_hold_up_no_other_and_not_the_end_of_the_loop() -> None:
    hang = threading.Event()

    async def work() -> int:
        hung = [asyncio.create_task(in_thread(hang.wait)) for _ in range(100)]
        answer = await asyncio.wait_for(in_thread(lambda: 42), 10)
        for each in hung:
            each.cancel()
        return answer

    try:
        assert asyncio.run(work()) == 42
    finally:
        hang.set()
