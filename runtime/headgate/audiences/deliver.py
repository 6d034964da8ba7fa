"""The calls of a sync through delivery as the forwarder does it: the same lanes, straight into Kinesis."""

import asyncio
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from botocore.session import Session

from headgate.audiences.calls import Calls, Change, Computation
from headgate.audiences.sending import Bounds, Sender
from headgate.audiences.sync import Outbound
from headgate.delivery.bounds import DeliverySettings
from headgate.delivery.credentials import CredentialsCache
from headgate.delivery.delivery import Delivery
from headgate.delivery.preflight import Preflight
from headgate.delivery.submission import Refusal
from headgate.delivery.target import Data, Target
from headgate.delivery.wire.client import Wire
from headgate.errors import AwsError, one_line
from headgate.ingest.shares import ShareOf
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
    session: Session,
    outbound: Outbound,
    computation: Computation,
    destinations: Mapping[Target, ShareOf],
    bounds: Bounds,
    show: Callable[[Pace], None],
) -> dict[str, int]:
    """Send calls, and return why some can never be delivered, with how many they are.

    Args:
        session: its credentials and its endpoints are used.
        outbound: the calls.
        computation: what they are about.
        destinations: where to, each with what makes its records of events.
        bounds: how they are sent.
        show: told twice a second how it goes, and at the end.

    Raises:
        AwsError: a call could not be delivered in time, with AWS's reason where it gave one.
        BusyError: this process may not send any more.
    """
    wire = Wire(session)
    settings = DeliverySettings(acknowledge_within=min(bounds.within, _ACKNOWLEDGE_WITHIN))
    delivery = Delivery(wire, CredentialsCache(session), Preflight(session), settings)
    calls = Calls(computation, outbound.sync, datetime.fromtimestamp(outbound.sync / 1000, UTC))

    def portions(changes: Sequence[Change]) -> Mapping[Target, Sequence[Data]]:
        events = calls.events(changes, datetime.now(UTC))
        return {target: share_of(events) for target, share_of in destinations.items()}

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
        trouble = sender.trouble.message + _words(delivery, sender.trouble) if sender.trouble else None
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
            raise AwsError(f"{error}{_words(delivery, sender.trouble) if sender.trouble else ''}") from None
        finally:
            showing.cancel()
        show(pace())
    finally:
        await delivery.close()
        await wire.close()
    return {f"{code}: {sender.examples[code]}": count for code, count in sender.reasons.items()}


def _words(delivery: Delivery, refusal: Refusal) -> str:
    """Return AWS's words, to be added to a refusal because a destination is paused; empty for any other."""
    paused = [status.paused for status in delivery.status().values() if status.paused is not None]
    return next((f": {one_line(why.reason)}" for why in paused if why.code == refusal.code), "")


def _limit(delivery: Delivery, bounds: Bounds) -> float | None:
    limits = [bounds.per_second] if bounds.per_second is not None else []
    for status in delivery.status().values():
        shards: Collection[str] = {lane.shard_id for lane in status.lanes if lane.shard_id is not None}
        if shards:
            limits.append(float(len(shards) * SHARD_RECORDS_PER_SECOND))
    return min(limits, default=None)
