"""The fields of the forms of settings: what each is called, and what it is for.

The first five are called as Segment's own Kinesis destination calls them; ours follow docs/settings.md.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from headgate.settings.schema import CALL_TYPES

Kind = Literal["text", "region", "number", "choice", "box", "calls", "lines", "secret", "key"]


@dataclass(frozen=True, slots=True)
class Field:
    """One field."""

    name: str
    """As `sources.toml` calls it."""
    label: str
    help: str
    kind: Kind = "text"
    placeholder: str = ""
    choices: Sequence[str] = ()
    is_required: bool = False


DESTINATION: Sequence[Field] = (
    Field(
        "stream_name",
        "AWS Kinesis Stream Name",
        "The stream that takes the events: 1 to 128 of a-z A-Z 0-9 _ . -",
        is_required=True,
    ),
    Field(
        "region",
        "AWS Kinesis Stream Region",
        "The AWS region key of the stream; us-west-2 where it is left empty.",
        "region",
        "us-west-2",
    ),
    Field(
        "role_address",
        "Role Address",
        "ARN of the AWS role that writes to Kinesis. Without one the forwarder's own credentials write.",
        placeholder="arn:aws:iam::874699288871:role/example-role",
    ),
    Field(
        "secret_id",
        "Secret ID",
        "The External ID that is sent to assume the role. It is a password: encrypted, and shown to nobody.",
        "secret",
    ),
    Field(
        "use_message_id",
        "Use Segment Message ID",
        "The message ID is the partition key. It spreads events evenly over the shards, which helps where "
        "many are throttled, and gives up the order of a user's events.",
        "box",
    ),
    Field(
        "event_types",
        "Event types",
        "The calls that are sent to it; the others are counted as excluded.",
        "calls",
        choices=CALL_TYPES,
    ),
    Field(
        "partition_key",
        "Partition key",
        "userId || anonymousId where it is left empty; messageId; or a path such as context.groupId. "
        "A change ends the order of what came before it and what comes after.",
        placeholder="userId || anonymousId",
    ),
    Field(
        "ordering",
        "Ordering",
        "lane keeps a key's order but for what a partial failure swaps; strict rules that out, sends one "
        "record of a key at a time, and never overflows.",
        "choice",
        choices=("lane", "strict"),
    ),
    Field(
        "max_record_kib",
        "Largest record",
        "In KiB, 1,024 to 10,240: no more than the stream takes.",
        "number",
        "1024",
    ),
    Field(
        "wire",
        "Wire",
        "auto sends CBOR, and JSON to an endpoint that takes no CBOR.",
        "choice",
        choices=("auto", "cbor", "json"),
    ),
    Field("enabled", "Enabled", "Otherwise its events are counted, and not sent to it.", "box"),
)
SOURCE: Sequence[Field] = (
    Field("name", "Name", "For people."),
    Field(
        "allowed_origins",
        "Allowed origins",
        "Pages that may send to it, one a line: *, https://www.example.com or https://*.example.com. "
        "Any page where it is left empty.",
        "lines",
        "*",
    ),
    Field(
        "max_events_per_second",
        "Most events a second",
        "Requests above it are answered 429. No limit where it is left empty.",
        "number",
    ),
    Field(
        "enabled", "Enabled", "Otherwise its events are answered 200, counted, and sent nowhere: lost.", "box"
    ),
)
NEW_SOURCE: Sequence[Field] = (
    Field("id", "Source ID", "1 to 256 characters. It cannot be changed later.", is_required=True),
    SOURCE[0],
    Field(
        "write_keys",
        "Write key",
        "What its clients send; 20 random characters or more. It is kept as a hash and shown to nobody.",
        "key",
        is_required=True,
    ),
)
LABELS = {field.name: field.label for field in (*DESTINATION, *SOURCE, *NEW_SOURCE)}
