"""What the forwarder and the operator of the console may do: IAM policies as they are written for AWS.

`docs/console.md` shows the operator's.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

Statement = dict[str, Any]

# Each Secret ID is encrypted for one source and one stream; what names none is no Secret ID.
_OF_A_DESTINATION = {
    "StringLike": {"kms:EncryptionContext:source": "?*", "kms:EncryptionContext:destination": "?*"}
}


@dataclass(frozen=True, kw_only=True)
class Estate:
    """The ARNs of what a forwarder works with."""

    region: str
    table: str
    key: str
    """The KMS key that encrypts the table, and Secret IDs in it."""
    dead_letters: str
    streams: tuple[str, ...]
    roles: tuple[str, ...]
    """The Role Addresses of the destinations."""


def forwarder_policy(estate: Estate) -> list[Statement]:
    """Return what `headgate serve` needs: its settings, its roles, and a place for dead letters."""
    return [
        _allow("ReadSettings", ["dynamodb:BatchGetItem", "dynamodb:GetItem", "dynamodb:Query"], estate.table),
        _through_dynamodb("UseTableKey", ["kms:Decrypt", "kms:DescribeKey"], estate),
        _allow("DecryptSecretIds", ["kms:Decrypt"], estate.key) | {"Condition": _OF_A_DESTINATION},
        _allow("AssumeDestinations", ["sts:AssumeRole"], estate.roles),
        _allow("KeepDeadLetters", ["sqs:GetQueueAttributes", "sqs:SendMessage"], estate.dead_letters),
    ]


def reader_policy(estate: Estate) -> list[Statement]:
    """Return what `headgate console` needs to show all that it shows, and to change nothing."""
    return [
        _allow("ReadSettings", ["dynamodb:GetItem", "dynamodb:Query"], estate.table),
        _through_dynamodb("UseTableKey", ["kms:Decrypt", "kms:DescribeKey"], estate),
        _read_streams(estate),
        _allow(
            "LookIntoDeadLetters",
            ["sqs:ChangeMessageVisibility", "sqs:GetQueueAttributes", "sqs:ReceiveMessage"],
            estate.dead_letters,
        ),
    ]


def operator_policy(estate: Estate) -> list[Statement]:
    """Return what `headgate console` needs for all that its pages offer."""
    return [
        _allow(
            "ChangeSettings",
            [f"dynamodb:{name}" for name in ("DeleteItem", "DescribeTable", "GetItem", "PutItem", "Query")],
            estate.table,
        ),
        _through_dynamodb(
            "UseTableKey",
            [
                "kms:Decrypt",
                "kms:DescribeKey",
                "kms:Encrypt",
                "kms:GenerateDataKey",
                "kms:GenerateDataKeyWithoutPlaintext",
                "kms:ReEncryptFrom",
                "kms:ReEncryptTo",
            ],
            estate,
        ),
        # To encrypt is to give a Secret ID; to decrypt, to send dead letters again as the forwarder would.
        _allow("UseSecretIds", ["kms:Encrypt", "kms:Decrypt"], estate.key) | {"Condition": _OF_A_DESTINATION},
        _read_streams(estate, "DescribeStreamSummary"),
        _allow("AssumeDestinations", ["sts:AssumeRole"], estate.roles),
        _allow("LookAtRoles", ["iam:GetRole", "iam:SimulatePrincipalPolicy"], estate.roles),
        _allow(
            "HandleDeadLetters",
            [
                "sqs:ChangeMessageVisibility",
                "sqs:DeleteMessage",
                "sqs:GetQueueAttributes",
                "sqs:ReceiveMessage",
                "sqs:SendMessage",
            ],
            estate.dead_letters,
        ),
    ]


_OF_WHAT_IT_CANNOT_TELL = {"kinesis:GetRecords", "iam:SimulatePrincipalPolicy"}
_BATCHES = {
    # To IAM the batches are no actions of their own.
    "sqs:SendMessage": "sqs:SendMessageBatch",
    "sqs:DeleteMessage": "sqs:DeleteMessageBatch",
    "sqs:ChangeMessageVisibility": "sqs:ChangeMessageVisibilityBatch",
}


def for_ministack(statements: Sequence[Statement]) -> list[Statement]:
    """Return a policy for an emulator that judges some things otherwise than IAM.

    It knows no condition key of KMS, and its DynamoDB asks no KMS; to it SQS's batches are actions of their
    own; and it cannot tell of which stream a shard iterator is, nor whose policies are simulated.
    """
    made: list[Statement] = []
    for statement in statements:
        if "kms:ViaService" in statement.get("Condition", {}).get("StringEquals", {}):
            continue
        actions: list[str] = statement["Action"]
        more = [_BATCHES[each] for each in actions if each in _BATCHES]
        resource = "*" if _OF_WHAT_IT_CANNOT_TELL & set(actions) else statement["Resource"]
        kept = {name: value for name, value in statement.items() if name != "Condition"}
        made.append(kept | {"Action": [*actions, *more], "Resource": resource})
    return made


def _allow(sid: str, actions: Sequence[str], resource: str | Sequence[str]) -> Statement:
    resources = resource if isinstance(resource, str) else list(resource)
    return {"Sid": sid, "Effect": "Allow", "Action": list(actions), "Resource": resources}


def _read_streams(estate: Estate, *more: str) -> Statement:
    names = sorted(("GetRecords", "GetShardIterator", "ListShards", *more))
    return _allow("ReadStreams", [f"kinesis:{each}" for each in names], estate.streams)


def _through_dynamodb(sid: str, actions: Sequence[str], estate: Estate) -> Statement:
    condition: Mapping[str, Any] = {
        "StringEquals": {"kms:ViaService": f"dynamodb.{estate.region}.amazonaws.com"}
    }
    return _allow(sid, actions, estate.key) | {"Condition": condition}
