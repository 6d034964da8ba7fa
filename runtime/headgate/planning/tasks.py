"""How many tasks a forwarder needs, and of which size."""

import math
from dataclasses import dataclass
from fractions import Fraction

from headgate.planning.load import Load

TLS_MICROSECONDS = {"one event a request": Fraction("33.7"), "batches of 50": Fraction("7.98")}
"""CPU of `headgate serve` for an event, delivered over TLS. The newest median of `bench.serve`, which
docs/benchmarks.md has, may be lower: a plan is not to change with each measurement."""
CPU_TARGET = Fraction("0.6")
"""How much of its CPU a task uses at the peak: what `Forwarder` scales to unless it is told otherwise. The
rest is room for a vCPU that is slower than the core that was measured, and for a task that is lost."""
LEAST_TASKS = 2
"""So that there is one in each of two availability zones."""


@dataclass(frozen=True, slots=True)
class Size:
    """A size that Fargate has tasks of: CPU in units of 1/1,024 vCPU, and MiB."""

    cpu: int
    memory_mib: int

    @property
    def vcpu(self) -> Fraction:
        """The CPU in vCPU."""
        return Fraction(self.cpu, 1_024)

    @property
    def gb(self) -> Fraction:
        """The memory as it is billed."""
        return Fraction(self.memory_mib, 1_024)


# A worker is one event loop, which uses one core and 256 MiB at most: so more tasks, not larger ones.
SMALL, WHOLE = Size(512, 1_024), Size(1_024, 2_048)


@dataclass(frozen=True, slots=True)
class Tasks:
    """A number of tasks of one size, with one worker each."""

    count: int
    size: Size


def vcpu_for(load: Load, microseconds: Fraction) -> Fraction:
    """Return the vCPU that the busiest second takes, where an event takes so much CPU."""
    return load.peak_events * microseconds / 1_000_000


def tasks_for(load: Load, microseconds: Fraction) -> Tasks:
    """Return the tasks that carry the peak: two of half a vCPU, else as many as it takes of a whole one."""
    needed = vcpu_for(load, microseconds) / CPU_TARGET
    if needed <= LEAST_TASKS * SMALL.vcpu:
        return Tasks(LEAST_TASKS, SMALL)
    return Tasks(max(LEAST_TASKS, math.ceil(needed / WHOLE.vcpu)), WHOLE)
