"""The tasks of a load, and the figures that they are counted by."""

import inspect
import re
from fractions import Fraction
from pathlib import Path

import pytest

from constructs_lib.forwarder import Forwarder
from constructs_lib.forwarder.props import MEMORY_MIB
from headgate.planning.load import Load
from headgate.planning.tasks import (
    CPU_TARGET,
    LEAST_TASKS,
    SMALL,
    TLS_MICROSECONDS,
    WHOLE,
    Tasks,
    tasks_for,
)

BENCH = Path(__file__).parents[2] / "docs/benchmarks.md"


def test_the_cpu_of_an_event_is_what_was_measured_or_a_little_more() -> None:
    row = r"^\| Headgate, {} \| TLS \| ([\d.]+) \| 1.00 \| [\d.]+ \|$"
    for how, microseconds in TLS_MICROSECONDS.items():
        [measured] = re.findall(row.format(how), BENCH.read_text(encoding="utf-8"), re.MULTILINE)
        assert 0.95 * float(measured) <= microseconds <= 1.4 * float(measured), how


def test_the_sizes_are_those_of_fargate_and_the_least_is_what_a_forwarder_has_by_default() -> None:
    for size in (SMALL, WHOLE):
        assert size.memory_mib in MEMORY_MIB[size.cpu]
    default = {name: each.default for name, each in inspect.signature(Forwarder.__init__).parameters.items()}
    assert (SMALL.cpu, SMALL.memory_mib) == (default["cpu"], default["memory_mib"])
    assert (default["min_tasks"], default["cpu_target_percent"]) == (LEAST_TASKS, CPU_TARGET * 100)


@pytest.mark.parametrize(
    ("events_per_second", "peak_factor", "tasks"),
    [
        (0.1, 1, Tasks(2, SMALL)),
        # 17,804 x 33.7 us are 0.6 of 0.99999 vCPU: two halves. One event more is too much for them.
        (17_804, 1, Tasks(2, SMALL)),
        (17_805, 1, Tasks(2, WHOLE)),
        # 35,608 x 33.7 us are 0.6 of 1.99998 vCPU; the next are 0.6 of 2.00003.
        (8_902, 4, Tasks(2, WHOLE)),
        (35_609, 1, Tasks(3, WHOLE)),
        # 33.7 vCPU / 0.6 = 56.2
        (1_000_000, 1, Tasks(57, WHOLE)),
    ],
)
def test_the_tasks_of_a_load_by_hand(events_per_second: float, peak_factor: float, tasks: Tasks) -> None:
    load = Load(events_per_second=events_per_second, average_bytes=900, peak_factor=peak_factor)
    assert tasks_for(load, Fraction("33.7")) == tasks
