"""A table of settings, which `headgate settings` changes and a forwarder follows."""

from aws_cdk import RemovalPolicy, Stack
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from constructs import Construct

from constructs_lib.forwarder.settings import SettingsPlace
from constructs_lib.removal import check_removal

_READ = ("dynamodb:BatchGetItem", "dynamodb:GetItem", "dynamodb:Query")
# What a transaction does counts as its single actions.
_CHANGE = (
    "dynamodb:DeleteItem",
    "dynamodb:DescribeTable",
    "dynamodb:GetItem",
    "dynamodb:PutItem",
    "dynamodb:Query",
)
_KEY_TO_READ = ("kms:Decrypt", "kms:DescribeKey")
_KEY_TO_CHANGE = (
    "kms:Decrypt",
    "kms:DescribeKey",
    "kms:Encrypt",
    "kms:GenerateDataKey",
    "kms:GenerateDataKeyWithoutPlaintext",
    "kms:ReEncryptFrom",
    "kms:ReEncryptTo",
)
# Each is encrypted for one source and one stream; what names none is no Secret ID.
_OF_A_DESTINATION = {
    "StringLike": {"kms:EncryptionContext:source": "?*", "kms:EncryptionContext:destination": "?*"}
}


class SettingsTable(Construct):
    """A DynamoDB table for a forwarder's settings, and the customer managed key for it and for Secret IDs.

    It is billed by request, can be restored to any second of the last 35 days, and forgets who changed what
    after 400 days. It is empty at first; the forwarder is healthy and answers events with 503 until
    `headgate settings import` has written the first source.

    Args:
        scope: where to make it.
        construct_id: its id within `scope`.
        table_name: its name. Default: CloudFormation makes one.
        encryption_key: encrypts the table and the Secret IDs in it. Default: a new one that rotates.
        removal_policy: what becomes of table and key when the stack lets go of them. Default: RETAIN, with
            deletion protection. DESTROY counts only where the context key `headgate:allow-destroy` is true.

    Raises:
        ValueError: a prop is out of its range; the text names it and the way out.

    Attributes:
        table: the table.
        encryption_key: its key.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        table_name: str | None = None,
        encryption_key: kms.IKey | None = None,
        removal_policy: RemovalPolicy = RemovalPolicy.RETAIN,
    ) -> None:
        super().__init__(scope, construct_id)
        check_removal(
            self, removal_policy, what_goes="the settings and their history", no_snapshot_of="a table"
        )
        self.encryption_key: kms.IKey = encryption_key or kms.Key(
            self,
            "Key",
            description=f"Encrypts the settings of {scope.node.path}, and Secret IDs",
            enable_key_rotation=True,
            removal_policy=removal_policy,
        )
        self.table = dynamodb.Table(
            self,
            "Table",
            table_name=table_name,
            partition_key=_key("pk"),
            sort_key=_key("sk"),
            billing_mode=dynamodb.BillingMode.PAY_PER_REQUEST,
            encryption=dynamodb.TableEncryption.CUSTOMER_MANAGED,
            encryption_key=self.encryption_key,
            point_in_time_recovery_specification=dynamodb.PointInTimeRecoverySpecification(
                point_in_time_recovery_enabled=True
            ),
            deletion_protection=removal_policy is not RemovalPolicy.DESTROY,
            time_to_live_attribute="expires",
            removal_policy=removal_policy,
        )

    @property
    def place(self) -> SettingsPlace:
        """Where a forwarder finds the settings, for its `sources`."""
        # The table itself is reached through a gateway; the endpoint is for Secret IDs.
        return SettingsPlace(
            location=f"dynamodb://{self.table.table_name}",
            statements=self.reading_statements(),
            endpoint="Kms",
            actions=["kms:Decrypt"],
            arn=self.encryption_key.key_arn,
        )

    def reading_statements(self) -> list[iam.PolicyStatement]:
        """Return what a forwarder needs: reads, and Secret IDs decrypted."""
        return [
            iam.PolicyStatement(sid="ReadSettings", actions=list(_READ), resources=[self.table.table_arn]),
            self._through_dynamodb("UseTableKey", _KEY_TO_READ),
            self._for_secret_ids("DecryptSecretIds", "kms:Decrypt"),
        ]

    def changing_statements(self) -> list[iam.PolicyStatement]:
        """Return what `headgate settings` needs: reads, writes, and Secret IDs encrypted, never decrypted."""
        return [
            iam.PolicyStatement(
                sid="ChangeSettings", actions=list(_CHANGE), resources=[self.table.table_arn]
            ),
            self._through_dynamodb("UseTableKey", _KEY_TO_CHANGE),
            self._for_secret_ids("EncryptSecretIds", "kms:Encrypt"),
        ]

    def grant_read(self, identity: iam.IGrantable) -> None:
        """Let an identity read the settings, Secret IDs among them, as a forwarder does."""
        for statement in self.reading_statements():
            identity.grant_principal.add_to_principal_policy(statement)

    def grant_change(self, identity: iam.IGrantable) -> None:
        """Let an identity look at the settings and change them with `headgate settings`."""
        for statement in self.changing_statements():
            identity.grant_principal.add_to_principal_policy(statement)

    def _through_dynamodb(self, sid: str, actions: tuple[str, ...]) -> iam.PolicyStatement:
        via = f"dynamodb.{Stack.of(self).region}.amazonaws.com"
        return iam.PolicyStatement(
            sid=sid,
            actions=list(actions),
            resources=[self.encryption_key.key_arn],
            conditions={"StringEquals": {"kms:ViaService": via}},
        )

    def _for_secret_ids(self, sid: str, action: str) -> iam.PolicyStatement:
        return iam.PolicyStatement(
            sid=sid,
            actions=[action],
            resources=[self.encryption_key.key_arn],
            conditions=_OF_A_DESTINATION,
        )


def _key(name: str) -> dynamodb.Attribute:
    return dynamodb.Attribute(name=name, type=dynamodb.AttributeType.STRING)
