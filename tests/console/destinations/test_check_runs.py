"""Checks that run to their end, whoever looks at them."""

import asyncio
import threading
from collections.abc import Callable

from headgate.checking.outcomes import Step, failed, ok
from headgate.console.destinations.check_runs import MOST_KEPT, CheckRuns, Run
from headgate.errors import AwsError

GOOD, BAD = Step("settings", ok("valid"), 0.1), Step("region", failed("no region", "correct it"), 0.2)


class Held:
    """A check of two steps, the second of which waits until it is let go."""

    def __init__(self) -> None:
        self.go = threading.Event()

    def __call__(self, begin: Callable[[str], object], end: Callable[[Step], object]) -> None:
        begin("settings")
        end(GOOD)
        begin("region")
        self.go.wait(10)
        end(BAD)


async def until(run: Run, reached: Callable[[Run], bool]) -> None:
    async with asyncio.timeout(10):
        async for each in run.progress():
            if reached(each):
                return


async def test_it_is_told_step_by_step_to_whoever_looks() -> None:
    held = Held()
    run = CheckRuns().begin("web", 1, held)
    await until(run, lambda each: each.now == "region")
    assert run.steps == [GOOD]
    assert (run.holds, run.has_ended) == (True, False)
    held.go.set()
    seen = [(len(each.steps), each.has_ended) async for each in run.progress()]
    assert seen[-1] == (2, True)
    assert (run.steps, run.holds, run.now) == ([GOOD, BAD], False, None)
    assert [each.has_ended async for each in run.progress()] == [True]  # told to who comes later, too


async def test_it_goes_on_when_nobody_looks_any_more() -> None:
    held = Held()
    run = CheckRuns().begin("web", 1, held)
    looking = asyncio.create_task(until(run, lambda each: each.has_ended))
    await until(run, lambda each: each.now == "region")
    looking.cancel()
    await asyncio.wait([looking])
    held.go.set()
    await until(run, lambda each: each.has_ended)
    assert run.steps == [GOOD, BAD]


async def test_there_is_one_at_a_time_of_each_destination() -> None:
    runs, held, other = CheckRuns(), Held(), Held()
    first = runs.begin("web", 1, held)
    assert runs.begin("web", 1, other) is first
    assert runs.begin("web", 2, other) is not first
    assert runs.find(first.id) is first
    assert runs.find("nothing") is None
    held.go.set()
    other.go.set()
    await until(first, lambda each: each.has_ended)
    assert runs.begin("web", 1, held) is not first


async def test_a_refusal_is_one_line_and_a_defect_tells_no_more_than_its_kind() -> None:
    for error, said in (
        (AwsError("denied"), "denied"),
        (KeyError("hunter2"), "the check could not be made: KeyError"),
    ):

        def refuse(begin: object, end: object, error: Exception = error) -> None:
            raise error

        run = CheckRuns().begin("web", 1, refuse)
        await until(run, lambda each: each.has_ended)
        assert (run.fault, run.holds) == (said, False)


async def test_a_few_that_have_ended_are_kept() -> None:
    runs = CheckRuns()
    begun = []
    for place in range(MOST_KEPT + 5):
        begun.append(runs.begin("web", place, lambda *_: None))
        await until(begun[-1], lambda each: each.has_ended)
    found = [run for run in begun if runs.find(run.id)]
    assert MOST_KEPT <= len(found) <= MOST_KEPT + 1
    assert found[-1] is begun[-1]
