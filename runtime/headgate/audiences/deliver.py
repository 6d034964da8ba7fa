"""The calls of a sync through delivery as the forwarder does it: the same lanes, straight into Kinesis."""

import asyncio
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

import botocore.session

from headgate.audiences.calls import Calls, Change, Computation, records
from headgate.audiences.sending import Bounds, Sender
from headgate.audiences.sync import Outbound
from headgate.delivery.bounds import DeliverySettings
from headgate.delivery.credentials import CredentialsCache
from headgate.delivery.delivery import Delivery
from headgate.delivery.preflight import Preflight
from headgate.delivery.target import Data, Target
from headgate.delivery.wire.client import Wire
from headgate.errors import AwsError
from headgate.shards import SHARD_RECORDS_PER_SECOND

_SHOWN_EVERY = 0.5
_ACKNOWLEDGE_WITHIN = 60.0
"""No client waits for an answer, and what is sent again after it may arrive twice."""


@dataclass(frozen=True, slots=True)
class Pace:
    """How sending goes."""

    settled: int
    total: int
    limit: float | None
    """Calls a second that the shards take, as far as they are known, or that were allowed."""
    trouble: str | None
    """Why calls are being sent again and again, if they are."""


async def deliver(
    outbound: Outbound,
    computation: Computation,
    destinations: Mapping[Target, bool],
    bounds: Bounds,
    show: Callable[[Pace], None],
) -> dict[str, int]:
    """Send calls, and return why some can never be delivered, and how many.

    Args:
        outbound: the calls.
        computation: what they are about.
        destinations: where to, each with its `use_message_id`.
        bounds: how they are sent.
        show: told twice a second how it goes, and at the end.

    Raises:
        AwsError: a call could not be delivered in time, with AWS's reason where it gave one.
        BusyError: this process may not send any more.
    """
    session = botocore.session.get_session()
    wire = Wire(session)
    settings = DeliverySettings(acknowledge_within=_ACKNOWLEDGE_WITHIN)
    delivery = Delivery(wire, CredentialsCache(session), Preflight(session), settings)
    calls = Calls(computation, outbound.sync, datetime.fromtimestamp(outbound.sync / 1000, UTC))

    def portions(changes: Sequence[Change]) -> Mapping[Target, Sequence[Data]]:
        events = calls.events(changes, datetime.now(UTC))
        return {target: records(events, use_message_id=flag) for target, flag in destinations.items()}

    sender = Sender(
        delivery,
        portions,
        outbound.save,
        outbound.check,
        outbound.acknowledged,
        outbound.undeliverable,
        bounds,
    )

    def pace() -> Pace:
        settled = sender.acknowledged.count + sender.undeliverable.count
        trouble = (_reason(delivery) or sender.trouble.message) if sender.trouble is not None else None
        return Pace(settled, outbound.total, _limit(delivery, bounds), trouble)

    async def keep_showing() -> None:
        while True:
            show(pace())
            await asyncio.sleep(_SHOWN_EVERY)

    try:
        await delivery.prepare(destinations)
        showing = asyncio.create_task(keep_showing())
        try:
            await sender.send(outbound.changes)
        except AwsError as error:
            reason = _reason(delivery)
            raise AwsError(f"{error}: {reason}" if reason is not None else str(error)) from None
        finally:
            showing.cancel()
        show(pace())
    finally:
        await delivery.close()
        await wire.close()
    return dict(sender.reasons)


def _reason(delivery: Delivery) -> str | None:
    """Return AWS's words of why a destination is paused; None where none is."""
    paused = {name: status.paused for name, status in delivery.status().items()}
    return next((f"{name}: {why.code}: {why.reason}" for name, why in paused.items() if why), None)


def _limit(delivery: Delivery, bounds: Bounds) -> float | None:
    limits = [bounds.per_second] if bounds.per_second is not None else []
    for status in delivery.status().values():
        shards: Collection[str] = {lane.shard_id for lane in status.lanes if lane.shard_id is not None}
        if shards:
            limits.append(float(len(shards) * SHARD_RECORDS_PER_SECOND))
    return min(limits, default=None)
