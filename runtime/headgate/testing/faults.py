"""Faults on command: which requests and records fail, how, how often and for how long.

A fault is a value: what goes wrong, for which requests, with what probability, how often and for how long.
`Faults.add` makes it strike. Several may be active at once: delays add up, and of the others the first that
strikes counts.
"""

import random
from collections.abc import Callable
from dataclasses import dataclass, field
from threading import RLock
from types import TracebackType
from typing import Any, Generic, Literal, Self, TypeVar

import msgspec

from headgate.testing.ledger import LoggedRequest
from headgate.testing.requests import OperationName, known


class _Scope(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag_field="fault"):
    """When a fault strikes.

    Args:
        stream: the stream it is about; None for any.
        operations: the operations it is about; none given for all of Kinesis. Those of STS and IAM, such as
            AssumeRole, are struck only where they are named.
        access_key: the access key ID that signed the request; None for any.
        probability: of striking, 0 to 1.
        times: how often it strikes at most; None for any number.
        lasting: seconds from when it was added; None until it is lifted.
    """

    stream: str | None = None
    operations: tuple[OperationName, ...] = ()
    access_key: str | None = None
    probability: float = 1.0
    times: int | None = None
    lasting: float | None = None

    def __post_init__(self) -> None:
        known(self.operations)
        if not 0 <= self.probability <= 1:
            raise ValueError(f"a probability is 0 to 1, not {self.probability}")


class FailRecords(_Scope, frozen=True, tag=True):
    """Single records of a PutRecords fail, the others are accepted; a PutRecord fails with the same code.

    Args:
        code: what they fail with.
        message: None for a text as AWS gives it.
        partition_key: the partition key of records it is about; None for any.
        shard_id: the shard it is about; None for any.
    """

    code: str = "InternalFailure"
    message: str | None = None
    partition_key: str | None = None
    shard_id: str | None = None


class FailRequests(_Scope, frozen=True, tag=True):
    """Requests are refused as a whole.

    Args:
        code: any error code of AWS.
        message: None for a text as AWS gives it.
        status: the HTTP status; None for the code's own: 500 for InternalFailure, 503 for
            ServiceUnavailable, 400 for others.
    """

    code: str = "InternalFailure"
    message: str | None = None
    status: int | None = None


class Delay(_Scope, frozen=True, tag=True):
    """Requests wait before they are looked at, so that of two under way the later may be the first accepted.

    Args:
        seconds: how long, or the least and the most.
    """

    seconds: float | tuple[float, float] = 0.1


class ResetConnection(_Scope, frozen=True, tag=True):
    """The connection is reset (TCP RST) instead of an answer.

    Args:
        accepted: whether the request is carried out first; its sender cannot know.
    """

    accepted: bool = False


class HangConnection(_Scope, frozen=True, tag=True):
    """The answer never comes, and the connection stays open.

    Args:
        accepted: whether the request is carried out first; its sender cannot know.
    """

    accepted: bool = False


class CutAnswer(_Scope, frozen=True, tag=True):
    """The request is carried out, then the connection is closed within its answer's body."""


class Outage(_Scope, frozen=True, tag=True):
    """The whole endpoint is out, STS and IAM with it: whatever is asked.

    For connections that are refused see `FakeKinesis.refuse_connections`.

    Args:
        answer: 500 (InternalFailure), 503 (ServiceUnavailable), or "reset" for a reset connection.
    """

    answer: Literal[500, 503, "reset"] = 503


RequestFault = FailRequests | Delay | ResetConnection | HangConnection | CutAnswer | Outage
Fault = RequestFault | FailRecords


@dataclass(frozen=True, slots=True)
class RecordFacts:
    """What a fault may look at of a record."""

    stream: str
    shard_id: str
    partition_key: str
    data: bytes


Struck = TypeVar("Struck", bound=Fault)


@dataclass(slots=True, eq=False)
class ActiveFault(Generic[Struck]):
    """A fault that was added. As a context manager it is lifted at the end of the block."""

    fault: Struck
    where: Callable[[RecordFacts], bool] | None
    until: float | None
    _faults: "Faults" = field(repr=False)
    struck: int = 0
    """How often it has struck."""

    def lift(self) -> None:
        """End it; ending it twice does nothing."""
        self._faults.lift(self)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.lift()


class Faults:
    """The faults that are active. Every method may be called from any thread while the fake serves.

    Args:
        seed: of the random numbers that decide where a probability is given.
        clock: seconds since 1970.
        lock: what guards the fake that asks here.
    """

    def __init__(self, *, seed: int, clock: Callable[[], float], lock: RLock) -> None:
        self._random = random.Random(seed)  # noqa: S311  # chance that can be repeated is the point
        self._clock = clock
        self._lock = lock
        self._on_requests: list[ActiveFault[RequestFault]] = []
        self._on_records: list[ActiveFault[FailRecords]] = []

    def add(self, fault: Fault, *, where: Callable[[RecordFacts], bool] | None = None) -> ActiveFault[Any]:
        """Make a fault strike from now on.

        Args:
            fault: what goes wrong, and when.
            where: of FailRecords, which records it is about.

        Raises:
            ValueError: `where` is given for a fault that is not about records.
        """
        until = None if fault.lasting is None else self._clock() + fault.lasting
        with self._lock:
            if isinstance(fault, FailRecords):
                on_records = ActiveFault(fault, where, until, self)
                self._on_records.append(on_records)
                return on_records
            if where is not None:
                raise ValueError(f"where= is about records, and {type(fault).__name__} is about requests")
            on_requests = ActiveFault(fault, None, until, self)
            self._on_requests.append(on_requests)
            return on_requests

    def lift(self, active: ActiveFault[Any]) -> None:
        """End one fault."""
        with self._lock:
            self._on_requests = [each for each in self._on_requests if each is not active]
            self._on_records = [each for each in self._on_records if each is not active]

    def clear(self) -> None:
        """End all faults."""
        with self._lock:
            self._on_requests.clear()
            self._on_records.clear()

    @property
    def active(self) -> list[ActiveFault[Any]]:
        """The faults that were added and not lifted."""
        with self._lock:
            return [*self._on_requests, *self._on_records]

    @property
    def on_records(self) -> bool:
        """Whether any fault is about single records."""
        return bool(self._on_records)

    def strike_request(self, request: LoggedRequest) -> tuple[float, RequestFault | None]:
        """Return the seconds that a request is to wait, and what then goes wrong with it."""
        wait: float = 0
        wrong: RequestFault | None = None
        with self._lock:
            for active in self._on_requests:
                fault = active.fault
                counts = wrong is None or isinstance(fault, Delay)
                if not (counts and _about(fault, request) and self._strikes(active)):
                    continue
                if isinstance(fault, Delay):
                    wait += self._seconds(fault)
                else:
                    wrong = fault
        return wait, wrong

    def strike_record(self, request: LoggedRequest, record: RecordFacts) -> FailRecords | None:
        """Return what goes wrong with one record."""
        with self._lock:
            for active in self._on_records:
                fault = active.fault
                if (
                    _about(fault, request)
                    and fault.partition_key in (None, record.partition_key)
                    and fault.shard_id in (None, record.shard_id)
                    and (active.where is None or active.where(record))
                    and self._strikes(active)
                ):
                    return fault
        return None

    def _strikes(self, active: ActiveFault[Any]) -> bool:
        fault = active.fault
        if fault.times is not None and active.struck >= fault.times:
            return False
        if active.until is not None and self._clock() >= active.until:
            return False
        if fault.probability < 1 and self._random.random() >= fault.probability:
            return False
        active.struck += 1
        return True

    def _seconds(self, delay: Delay) -> float:
        if isinstance(delay.seconds, tuple):
            return self._random.uniform(*delay.seconds)
        return delay.seconds


def _about(fault: Fault, request: LoggedRequest) -> bool:
    """Whether a fault is about such a request at all."""
    if fault.operations:
        named = request.operation in fault.operations
    else:
        named = request.service == "kinesis" or isinstance(fault, Outage)
    return named and fault.stream in (None, request.stream) and fault.access_key in (None, request.access_key)
