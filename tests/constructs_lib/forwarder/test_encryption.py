"""The key of queues and log."""

from aws_cdk import aws_kms as kms

from tests.constructs_lib.forwarder.scene import ACCOUNT, REGION, Scene, new_stack


def test_a_key_of_its_own_rotates_each_year(plain: Scene) -> None:
    assert plain.only("AWS::KMS::Key")["EnableKeyRotation"] is True


def test_cloudwatch_logs_may_use_it_for_log_groups_of_this_account_alone(plain: Scene) -> None:
    _, logs = plain.only("AWS::KMS::Key")["KeyPolicy"]["Statement"]
    assert logs["Principal"] == {"Service": f"logs.{REGION}.amazonaws.com"}
    assert list(logs["Condition"]) == ["ArnLike"]
    [(key, arn)] = logs["Condition"]["ArnLike"].items()
    assert key == "kms:EncryptionContext:aws:logs:arn"
    assert plain.stack.resolve(arn)["Fn::Join"][1][-2:] == [{"Ref": "AWS::AccountId"}, ":log-group:*"]
    assert not any("*" in action for action in logs["Action"])


def test_the_log_is_encrypted_with_it_and_kept_for_a_while(plain: Scene) -> None:
    log = plain.only("AWS::Logs::LogGroup")
    key = plain.logical_id(plain.forwarder.encryption_key)
    assert log == {"KmsKeyId": {"Fn::GetAtt": [key, "Arn"]}, "RetentionInDays": 90}


def test_a_key_that_is_there_already_is_used_and_none_is_made() -> None:
    stack = new_stack()
    arn = f"arn:aws:kms:{REGION}:{ACCOUNT}:key/1234abcd-12ab-34cd-56ef-1234567890ab"
    scene = Scene(stack, encryption_key=kms.Key.from_key_arn(stack, "Key", arn))
    assert scene.of_type("AWS::KMS::Key") == {}
    assert {one["KmsMasterKeyId"] for one in scene.of_type("AWS::SQS::Queue").values()} == {arn}
    assert scene.only("AWS::Logs::LogGroup")["KmsKeyId"] == arn
