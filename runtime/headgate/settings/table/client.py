"""The table itself: what headgate asks DynamoDB, in its words."""

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from botocore.session import Session

from headgate.errors import AwsError, UsageError
from headgate.settings.aws_service import AwsService, Refused, region_of
from headgate.settings.table.layout import (
    HISTORY,
    SOURCE,
    VERSION,
    Entry,
    Item,
    Kept,
    Seen,
    entry_in,
    history_place,
    kept_in,
    key,
    number_of,
    seen_in,
)
from headgate.settings.table.transactions import Step

SCHEME = "dynamodb://"
BATCH_ITEMS = 100
"""The most of one BatchGetItem (DynamoDB API reference)."""

_NAME = re.compile(r"[A-Za-z0-9_.-]{3,255}")
_ARN = re.compile(r"arn:aws[a-z-]*:dynamodb:([a-z0-9-]+):\d{12}:table/[A-Za-z0-9_.-]{3,255}")


class SettingsTable:
    """A table of settings. Everything is read strongly consistent.

    Args:
        session: its credentials and its endpoint are used; its region where the table's own is not told.
        table: the table's name, or its whole ARN, which names its region.

    Raises:
        UsageError: `table` is neither, or no region is known.
    """

    def __init__(self, session: Session, table: str) -> None:
        self.name = SCHEME + table
        self.id = table
        arn = _ARN.fullmatch(table)
        if arn is None and not _NAME.fullmatch(table):
            raise UsageError(
                f"{self.name!r} names no table; allowed after {SCHEME}: 3 to 255 characters of "
                "a-z A-Z 0-9 _ . -, or a table's whole ARN"
            )
        self.region = region_of(session, self.name, arn)
        self._dynamodb = AwsService(session, "dynamodb", region=self.region, about=self.name)

    def version(self) -> Seen | None:
        """Return the version of all of it; None where nothing was ever written.

        Raises:
            AwsError: AWS refused, or did not answer.
        """
        item = self._item(VERSION, VERSION)
        return seen_in(item) if item is not None else None

    def source(self, source_id: str) -> Kept | None:
        """Return a source; None where there is none.

        Raises:
            AwsError: AWS refused, or did not answer.
            SettingsError: it is not valid.
        """
        item = self._item(SOURCE, source_id)
        return kept_in(item, where=self.name) if item is not None else None

    def sources(self) -> Iterator[Kept]:
        """Return every source, by its ID.

        Raises:
            AwsError, SettingsError: as `source`.
        """
        for item in self._query(SOURCE):
            yield kept_in(item, where=self.name)

    def some_sources(self, source_ids: Sequence[str]) -> Iterator[Kept]:
        """Return those of these sources that there are.

        Raises:
            AwsError, SettingsError: as `source`.
        """
        for begin in range(0, len(source_ids), BATCH_ITEMS):
            keys = [key(SOURCE, each) for each in source_ids[begin : begin + BATCH_ITEMS]]
            while keys:
                answer = self._dynamodb.call(
                    "batch_get_item", RequestItems={self.id: {"Keys": keys, "ConsistentRead": True}}
                )
                for item in _of_one_table(answer.get("Responses", {}), []):
                    yield kept_in(item, where=self.name)
                keys = _of_one_table(answer.get("UnprocessedKeys", {}), {}).get("Keys", [])

    def changed_since(self, number: int) -> list[tuple[int, str]]:
        """Return the versions after one, each with the source that it changed, as far as the history goes.

        Raises:
            AwsError: AWS refused, or did not answer.
        """
        items = self._query(HISTORY, after=history_place(number + 1))
        return [(number_of(item), item["source"]["S"]) for item in items]

    def history(self, source_id: str | None, before: int | None = None) -> Iterator[Entry]:
        """Return the changes of a source, or of all, the newest first.

        Args:
            source_id: of which.
            before: leave out this version, and later ones.

        Raises:
            AwsError: AWS refused, or did not answer.
        """
        end = history_place(before) if before is not None else ""
        for item in self._query(HISTORY, before=end, newest_first=True):
            if source_id is None or item["source"]["S"] == source_id:
                yield entry_in(item)

    def write(self, steps: Iterable[Step]) -> None:
        """Do all of the steps, or none.

        Raises:
            Refused: not all conditions hold, among other reasons.
            AwsError: DynamoDB did not answer.
        """
        self._dynamodb.call("transact_write_items", TransactItems=[step.request for step in steps])

    def key_arn(self) -> str:
        """Return the ARN of the KMS key that the table is encrypted with.

        Raises:
            UsageError: it has none that could encrypt a Secret ID.
            AwsError: AWS refused, or did not answer.
        """
        table = self._dynamodb.call("describe_table", TableName=self.id)["Table"]
        arn: str | None = table.get("SSEDescription", {}).get("KMSMasterKeyArn")
        if arn is None:
            raise UsageError(
                f"{self.name} is encrypted with no key of yours; give one for Secret IDs with --key"
            )
        return arn

    def _item(self, kind: str, name: str) -> Item | None:
        answer = self._dynamodb.call("get_item", TableName=self.id, Key=key(kind, name), ConsistentRead=True)
        item: Item | None = answer.get("Item")
        return item

    def _query(
        self, kind: str, *, after: str = "", before: str = "", newest_first: bool = False
    ) -> Iterator[Item]:
        """Return items of a kind, from one sort key on or up to another; not both."""
        values = {":kind": {"S": kind}}
        condition = "pk = :kind"
        for name, sign, bound in (("after", ">=", after), ("before", "<", before)):
            if bound:
                values[f":{name}"] = {"S": bound}
                condition += f" AND sk {sign} :{name}"
        asked: dict[str, Any] = {
            "TableName": self.id,
            "KeyConditionExpression": condition,
            "ExpressionAttributeValues": values,
            "ConsistentRead": True,
            "ScanIndexForward": not newest_first,
        }
        while True:
            answer = self._dynamodb.call("query", **asked)
            yield from answer["Items"]
            if "LastEvaluatedKey" not in answer:
                return
            asked["ExclusiveStartKey"] = answer["LastEvaluatedKey"]


def is_missing(error: AwsError) -> bool:
    """Return whether there is no such table."""
    return isinstance(error, Refused) and error.code == "ResourceNotFoundException"


def _of_one_table(answers: dict[str, Any], default: Any) -> Any:
    """Return the only value: DynamoDB may call a table by its name where it was asked by its ARN."""
    return next(iter(answers.values()), default)
