"""The table of settings: what it is, and what is granted on it."""

from typing import Any

import pytest
from aws_cdk import RemovalPolicy
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk.assertions import Template

from constructs_lib.forwarder.settings_table import SettingsTable
from constructs_lib.removal import ALLOW_DESTROY_CONTEXT
from headgate.settings.table.layout import TTL_ATTRIBUTE
from tests.constructs_lib.forwarder.scene import ACCOUNT, FLAGS, REGION, Scene, new_stack

TABLE, KEY = "AWS::DynamoDB::Table", "AWS::KMS::Key"


def only(template: Template, type_: str) -> dict[str, Any]:
    [resource] = template.find_resources(type_).values()
    found: dict[str, Any] = resource
    return found


def test_it_is_billed_by_request_encrypted_and_can_be_restored() -> None:
    stack = new_stack()
    SettingsTable(stack, "Settings", table_name="settings")
    template = Template.from_stack(stack)
    table, key = only(template, TABLE), only(template, KEY)
    properties = table["Properties"]
    assert properties["TableName"] == "settings"
    assert properties["BillingMode"] == "PAY_PER_REQUEST"
    assert [(each["AttributeName"], each["KeyType"]) for each in properties["KeySchema"]] == [
        ("pk", "HASH"),
        ("sk", "RANGE"),
    ]
    assert properties["PointInTimeRecoverySpecification"] == {"PointInTimeRecoveryEnabled": True}
    assert properties["TimeToLiveSpecification"] == {"AttributeName": TTL_ATTRIBUTE, "Enabled": True}
    assert properties["SSESpecification"]["SSEType"] == "KMS"
    [key_id] = template.find_resources(KEY)
    assert properties["SSESpecification"]["KMSMasterKeyId"] == {"Fn::GetAtt": [key_id, "Arn"]}
    assert key["Properties"]["EnableKeyRotation"] is True


def test_it_stays_unless_two_places_agree_that_it_goes() -> None:
    stack = new_stack()
    SettingsTable(stack, "Settings")
    template = Template.from_stack(stack)
    for type_ in (TABLE, KEY):
        assert only(template, type_)["DeletionPolicy"] == "Retain"
    assert only(template, TABLE)["Properties"]["DeletionProtectionEnabled"] is True
    with pytest.raises(ValueError, match="removal_policy: DESTROY deletes the settings and their history"):
        SettingsTable(stack, "Going", removal_policy=RemovalPolicy.DESTROY)
    with pytest.raises(ValueError, match="removal_policy: SNAPSHOT is not for a table"):
        SettingsTable(stack, "Snapshot", removal_policy=RemovalPolicy.SNAPSHOT)
    agreed = new_stack(FLAGS | {ALLOW_DESTROY_CONTEXT: True})
    SettingsTable(agreed, "Going", removal_policy=RemovalPolicy.DESTROY)
    template = Template.from_stack(agreed)
    for type_ in (TABLE, KEY):
        assert only(template, type_)["DeletionPolicy"] == "Delete"
    assert only(template, TABLE)["Properties"]["DeletionProtectionEnabled"] is False


def test_a_key_of_ones_own_is_used_for_the_table_and_for_secret_ids() -> None:
    stack = new_stack()
    arn = f"arn:aws:kms:{REGION}:{ACCOUNT}:key/theirs"
    settings = SettingsTable(stack, "Settings", encryption_key=kms.Key.from_key_arn(stack, "Key", arn))
    template = Template.from_stack(stack)
    template.resource_count_is(KEY, 0)
    assert only(template, TABLE)["Properties"]["SSESpecification"]["KMSMasterKeyId"] == arn
    assert [each.resources for each in settings.reading_statements()[1:]] == [[arn], [arn]]


def test_a_forwarder_follows_it_and_may_read_it() -> None:
    stack = new_stack()
    settings = SettingsTable(stack, "Settings")
    scene = Scene(stack, sources=settings)
    table = {"Ref": scene.logical_id(settings.table)}
    assert scene.command["--sources"] == {"Fn::Join": ["", ["dynamodb://", table]]}
    policy = scene.only("AWS::IAM::ManagedPolicy")["PolicyDocument"]["Statement"]
    sids = [each["Sid"] for each in policy]
    assert sids[-3:] == ["ReadSettings", "UseTableKey", "DecryptSecretIds"]


def test_what_is_granted_to_others_is_written_out() -> None:
    stack = new_stack()
    settings = SettingsTable(stack, "Settings")
    for name, grant in (("Reader", settings.grant_read), ("Operator", settings.grant_change)):
        grant(iam.Role(stack, name, assumed_by=iam.AccountRootPrincipal()))
    policies = Template.from_stack(stack).find_resources("AWS::IAM::Policy")
    granted = {
        each["Properties"]["Roles"][0]["Ref"][:-8]: {
            statement["Sid"]: statement for statement in each["Properties"]["PolicyDocument"]["Statement"]
        }
        for each in policies.values()
    }
    assert granted["Reader"].keys() == {"ReadSettings", "UseTableKey", "DecryptSecretIds"}
    assert granted["Operator"].keys() == {"ChangeSettings", "UseTableKey", "EncryptSecretIds"}
    assert granted["Operator"]["EncryptSecretIds"]["Action"] == "kms:Encrypt"
    for statements in granted.values():
        assert "*" not in str([(each["Action"], each["Resource"]) for each in statements.values()])
