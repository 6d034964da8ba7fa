"""Changes of a table's settings: each made for one version of its source, and signed in the history."""

import random
import time
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from botocore.session import Session

from headgate import backoff
from headgate.errors import HeadgateError, SettingsError
from headgate.settings.aws_service import AwsService, Refused
from headgate.settings.table.client import SettingsTable
from headgate.settings.table.layout import HISTORY_DAYS, SOURCE, WRITE_KEY, Kept, kept_in
from headgate.settings.table.transactions import Change, Signature, Step, batches, transaction
from headgate.settings.write_keys import shown

_ATTEMPTS = 30
_FIRST_WAIT_SECONDS, _LONGEST_WAIT_SECONDS = 0.05, 1.0
_CONDITION = "ConditionalCheckFailed"
_PASSING = {"TransactionConflict", "ThrottlingError", "ProvisionedThroughputExceeded"}


class StaleChange(HeadgateError):  # noqa: N818  # a conflict, and nobody's error
    """A source has changed since it was read: the change was made for what is not there any more."""


@dataclass(frozen=True, kw_only=True)
class Writer:
    """Changes sources of a table.

    Attributes:
        table: where they are.
        who: the ARN of whoever changes them, as the history tells it.
        now: the time.
        sleep: waits so many seconds.
        spread: random numbers from 0 to 1.
    """

    table: SettingsTable
    who: str
    now: Callable[[], datetime] = lambda: datetime.now(UTC)
    sleep: Callable[[float], None] = time.sleep
    spread: Callable[[], float] = random.random

    def write(self, changes: Sequence[Change]) -> int:
        """Make changes of different sources, one or more, in as few transactions as they fit.

        Where one is stale, or its write key another's, those of its transaction and later ones are not made.

        Returns:
            The version that the last of them is of.

        Raises:
            StaleChange: a source is not at the version any more that its change is for.
            SettingsError: a write key is another source's, or DynamoDB does not take so much.
            AwsError: AWS refused, or did not answer.
        """
        together = batches(changes)
        for batch in together:  # what DynamoDB does not take is known before anything is written
            transaction(self.table.id, batch, None, self._signature())
        return [self._write(batch) for batch in together][-1]

    def _write(self, changes: Sequence[Change]) -> int:
        for attempt in range(1, _ATTEMPTS + 1):
            seen = self.table.version()
            number = seen.number + 1 if seen is not None else 1
            steps = transaction(self.table.id, changes, seen, self._signature())
            try:
                self.table.write(steps)
            except Refused as refused:
                if refused.code == "TransactionCanceledException":
                    _raise_what_stays(steps, refused, changes)
                elif refused.code not in ("TransactionInProgressException", "ThrottlingException"):
                    raise
            else:
                return number
            self.sleep(
                backoff.seconds(
                    attempt, self.spread(), first=_FIRST_WAIT_SECONDS, longest=_LONGEST_WAIT_SECONDS
                )
            )
        raise HeadgateError(f"{self.table.name}: others change it all the time; try again")

    def _signature(self) -> Signature:
        now = self.now()
        return Signature(
            who=self.who,
            at=now.isoformat(timespec="seconds").replace("+00:00", "Z"),
            expires=int((now + timedelta(days=HISTORY_DAYS)).timestamp()),
            nonce=str(uuid.uuid4()),
        )


def caller(session: Session, region: str) -> str:
    """Return the ARN of whoever has these credentials; STS needs no permission for it.

    Raises:
        AwsError: STS refused, or did not answer.
    """
    sts = AwsService(session, "sts", region=region, about="who changes settings")
    arn: str = sts.call("get_caller_identity")["Arn"]
    return arn


def _raise_what_stays(steps: Sequence[Step], refused: Refused, changes: Sequence[Change]) -> None:
    """Raise why a transaction was refused, unless it is for what another attempt may get over.

    Raises:
        StaleChange, SettingsError, Refused: see `Writer.write`.
    """
    reasons = refused.response.get("CancellationReasons", [])
    for step, reason in zip(steps, reasons, strict=False):
        code = reason.get("Code", "None")
        if code in ("None", *_PASSING):
            continue
        if code != _CONDITION:
            raise refused
        if step.kind == SOURCE:
            [change] = [each for each in changes if each.source_id == step.name]
            item = reason.get("Item")
            now = kept_in(item, where="") if item is not None else None
            raise stale(step.name, change.before.number if change.before else None, now)
        if step.kind == WRITE_KEY:
            owner = reason.get("Item", {}).get("source", {}).get("S", "another change")
            problem = f"{shown(step.name)} is a write key of {owner!r}; a write key is of one source"
            raise SettingsError(f"write_keys: {problem}", field="write_keys", problem=problem)


def stale(source_id: str, made_for: int | None, kept: Kept | None) -> StaleChange:
    """Return why a change is too late.

    Args:
        source_id: of which source.
        made_for: the version that it was made for; None where there was no such source.
        kept: what there is now.
    """
    was = f"version {made_for}" if made_for is not None else "no such source"
    now = (
        f"it is at version {kept.number}, changed by {kept.changed_by} at {kept.changed_at}"
        if kept is not None
        else "there is none now"
    )
    return StaleChange(
        f"the source {source_id!r}: the change was made for {was}, and {now}; look at it again"
    )
