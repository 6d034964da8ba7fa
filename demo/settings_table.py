"""A table of settings, and the sources that are in it at first."""

from typing import Any

from demo.forwarder import source_toml
from demo.stack import StreamStackOutputs

Source = tuple[str, str, StreamStackOutputs]
"""A source ID, a write key, and where its destination is."""

_WITH_SECRET_ID = """\
secret_id = "{secret_id}"
partition_key = "properties.order_id"
"""


def sources_toml(website: Source, app: Source, secret_id: str) -> str:
    """Return a `sources.toml` of both sources; the app's destination has a Secret ID."""
    website_id, website_key, website_outputs = website
    app_id, app_key, app_outputs = app
    return (
        source_toml(website_id, "Website", website_key, website_outputs)
        + "\n"
        + source_toml(app_id, "Shop app", app_key, app_outputs)
        + _WITH_SECRET_ID.format(secret_id=secret_id)
    )


def make_table(dynamodb: Any, key_arn: str | None, name: str) -> str:
    """Make a table as the construct `SettingsTable` does; return its ARN.

    Args:
        dynamodb: a boto3 client.
        key_arn: the key that encrypts it; None for DynamoDB's own.
        name: the table's name.
    """
    encryption = {"SSESpecification": {"Enabled": True, "SSEType": "KMS", "KMSMasterKeyId": key_arn}}
    made = dynamodb.create_table(
        TableName=name,
        BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=[{"AttributeName": each, "AttributeType": "S"} for each in ("pk", "sk")],
        KeySchema=[
            {"AttributeName": "pk", "KeyType": "HASH"},
            {"AttributeName": "sk", "KeyType": "RANGE"},
        ],
        **(encryption if key_arn is not None else {}),
    )
    arn: str = made["TableDescription"]["TableArn"]
    return arn
