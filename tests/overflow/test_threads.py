"""Threads for blocking calls: bounded, also by those that nobody waits for, and no reason to stay."""

import asyncio
import subprocess
import sys
import threading

import pytest

from headgate.overflow.threads import DaemonThreads
from tests.overflow.sqs import until


async def test_what_a_call_returns_or_raises_comes_back() -> None:
    threads = DaemonThreads(2)
    assert await threads.run(lambda: 5) == 5
    with pytest.raises(ZeroDivisionError):
        await threads.run(lambda: 1 / 0)


async def test_a_call_that_was_given_up_still_takes_its_place() -> None:
    threads, may_end, begun = DaemonThreads(1), threading.Event(), threading.Event()

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
        "from headgate.overflow.threads import DaemonThreads\n"
        "async def work():\n"
        "    try:\n"
        "        await asyncio.wait_for(DaemonThreads(1).run(lambda: time.sleep(3600)), 0.1)\n"
        "    except TimeoutError:\n"
        "        print('ended')\n"
        "asyncio.run(work())\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=30)
    assert (done.returncode, done.stdout, done.stderr) == (0, "ended\n", "")
