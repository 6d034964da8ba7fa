"""GetRecords, its answer decoded straight into records.

boto3 sends the request, as it does every other. It would make a dictionary of each record of the answer,
which takes many times the CPU (docs/benchmarks.md).
"""

from typing import TYPE_CHECKING, Any

import msgspec

from headgate.reading.record import Record

if TYPE_CHECKING:
    from mypy_boto3_kinesis import KinesisClient

MOST_RECORDS = 2_500
"""Records that one answer is to hold. Kinesis allows 10,000 (Kinesis API reference); a shard takes 1,000 a
second, and many shards' answers are in memory at once."""


class Answer(msgspec.Struct, rename="pascal", gc=False):
    """What GetRecords answers."""

    records: list[Record]
    millis_behind_latest: int | None = None
    next_shard_iterator: str | None = None
    """None at the end of a shard that was split or merged."""


class UnreadableAnswer(Exception):  # noqa: N818  # what came is at fault, not the program
    """An answer that ended too early, or is none of Kinesis. The same iterator may be used again."""


class GetRecords:
    """Calls GetRecords; the client's own `get_records` has no members from then on.

    Args:
        kinesis: the client. It may be used by several threads.
    """

    def __init__(self, kinesis: "KinesisClient") -> None:
        self._kinesis = kinesis
        kinesis.meta.events.register(
            "before-parse.kinesis.GetRecords", _decode, unique_id="headgate-decodes-records"
        )

    def __call__(self, iterator: str) -> Answer:
        """Return the next records of a shard.

        Raises:
            UnreadableAnswer: it cannot be decoded.
            ClientError: Kinesis refused.
            BotoCoreError: it cannot be reached, or there are no credentials.
        """
        said: Any = self._kinesis.get_records(ShardIterator=iterator, Limit=MOST_RECORDS)
        answer = said.get("Decoded")
        if not isinstance(answer, Answer):
            raise UnreadableAnswer
        return answer


_decoder = msgspec.json.Decoder(Answer)


def _decode(
    response_dict: dict[str, Any], customized_response_dict: dict[str, Any], **_event: object
) -> None:
    """Decode an answer in place of botocore, which leaves what is customized as it is."""
    if response_dict["status_code"] != 200:
        return
    try:
        customized_response_dict["Decoded"] = _decoder.decode(response_dict["body"])
    except (msgspec.DecodeError, UnicodeDecodeError):
        customized_response_dict["Decoded"] = None
    response_dict["body"] = b"{}"
