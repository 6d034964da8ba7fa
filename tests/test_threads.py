"""Calls that block: one that hangs holds up no other, and not the end of the loop."""

import asyncio
import subprocess
import sys
import threading

import pytest

from headgate.threads import Threads, in_thread
from tests.overflow.sqs import until


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


async def test_a_call_that_was_given_up_still_takes_its_place() -> None:
    threads, may_end, begun = Threads(1), threading.Event(), threading.Event()

    def hang() -> None:
        begun.set()
        may_end.wait()

    hanging = asyncio.create_task(threads.run(hang))
    await until(begun.is_set)
    hanging.cancel()
    second = asyncio.create_task(threads.run(lambda: "second"))
    await asyncio.wait([second], timeout=0.05)
    assert not second.done()
    may_end.set()
    assert await second == "second"


def test_a_process_ends_though_a_call_hangs() -> None:
    program = (
        "import asyncio, time\n"
        "from headgate.threads import Threads\n"
        "async def work():\n"
        "    try:\n"
        "        await asyncio.wait_for(Threads(1).run(lambda: time.sleep(3600)), 0.1)\n"
        "    except TimeoutError:\n"
        "        print('ended')\n"
        "asyncio.run(work())\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=30)
    assert (done.returncode, done.stdout, done.stderr) == (0, "ended\n", "")
