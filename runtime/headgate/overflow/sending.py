"""What letters are sent again with: a delivery of its own, which is closed when they are."""

import asyncio
from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager

from botocore.session import Session

from headgate.delivery.bounds import DeliverySettings
from headgate.delivery.credentials import CredentialsCache
from headgate.delivery.delivery import Delivery
from headgate.delivery.target import Target
from headgate.delivery.wire.client import Wire
from headgate.overflow.pace import Pace
from headgate.overflow.redrive import Sender, Tally

PATIENCE_SECONDS = 5.0
"""After a stop, how long Kinesis' answers are waited for: what it took need not be sent again."""

_DELIVER_WITHIN = 60.0
_LANE_SIZE = 32 * 1024 * 1024  # all that a destination may hold: there is no other traffic to be fair to


@asynccontextmanager
async def sending(
    session: Session,
    targets: Collection[Target],
    tally: Tally,
    stop: asyncio.Event,
    *,
    per_second: int | None = None,
    patience: float = PATIENCE_SECONDS,
) -> AsyncIterator[Sender]:
    """Give a sender for as long as the block lasts.

    Args:
        session: whose credentials assume the roles.
        targets: those of the settings in force.
        tally: where the sender counts.
        stop: once it is set, nothing more is sent.
        per_second: records a second at most; None for as fast as the streams take them.
        patience: seconds after a stop for which answers are waited for.
    """
    wire = Wire(session)
    settings = DeliverySettings(acknowledge_within=_DELIVER_WITHIN, lane_size=_LANE_SIZE)
    delivery = Delivery(wire, CredentialsCache(session), settings=settings)
    pace = None if per_second is None else Pace(per_second)

    async def hurry() -> None:
        await stop.wait()
        await asyncio.sleep(patience)
        delivery.hurry()

    hurrying = asyncio.create_task(hurry())
    try:
        yield Sender(delivery, targets, tally, stop, pace)
    finally:
        hurrying.cancel()
        await delivery.close()
        await wire.close()
