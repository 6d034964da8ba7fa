"""The garbage collector is told to look seldom, and events leave it nothing to find."""

import asyncio
import gc
import subprocess
import sys

from headgate.delivery.submission import Record, Submission
from headgate.testing import FailRecords
from tests import virtual_time
from tests.delivery.simulation import Simulation, settled


def events_in_memory() -> int:
    return sum(isinstance(each, Record | Submission) for each in gc.get_objects())


def test_a_delivered_event_is_freed_without_a_search_for_garbage() -> None:
    async def work() -> None:
        simulation = Simulation(2)
        simulation.faults.add(FailRecords(probability=0.2))
        await settled(*(simulation.submit(*map(str, range(20))) for _ in range(5)))
        assert simulation.at_rest()
        simulation.sent.clear()
        await asyncio.sleep(1)

    gc.collect()
    before = events_in_memory()
    gc.disable()
    try:
        virtual_time.run(work())
        assert events_in_memory() == before
    finally:
        gc.enable()


def test_what_is_there_at_the_start_is_never_looked_through_again() -> None:
    program = (
        "import gc; from headgate import garbage; garbage.search_seldom();"
        "print(gc.isenabled(), gc.get_freeze_count() > 1000, gc.get_threshold()[0] == garbage.OBJECTS)"
    )
    said = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout
    assert said.split() == ["True", "True", "True"]
