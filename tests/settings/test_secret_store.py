"""Settings in a secret: moto is AWS Secrets Manager, and checks who may ask where a test wants it to."""

import json
import socket
from collections.abc import Iterator
from typing import Any

import boto3
import botocore.session
import pytest
from moto import mock_aws
from moto.core import set_initial_no_auth_action_count

from headgate.errors import AwsError, SettingsError, UsageError
from headgate.settings import secret_store
from headgate.settings.locate import store_at
from headgate.settings.secret_store import SCHEME, SecretStore
from tests.aws_surroundings import surround

NAME, REGION, CANARY = "headgate/test/sources", "eu-central-1", "only-the-customer-may-read-this"
ROLE = "arn:aws:iam::123456789012:role/writer"


def toml(write_key: str, more: str = "") -> str:
    source = f'[[sources]]\nid = "s"\nwrite_keys = ["{write_key}"]\n{more}'
    return source + '[[sources.destinations]]\nstream_name = "events"\n'


@pytest.fixture(autouse=True)
def _surroundings(monkeypatch: pytest.MonkeyPatch) -> None:
    surround(monkeypatch, REGION)


@pytest.fixture
def aws() -> Iterator[Any]:
    with mock_aws():
        yield boto3.client("secretsmanager", region_name=REGION)


def store(secret: str = NAME) -> SecretStore:
    return SecretStore(botocore.session.get_session(), secret)


def keys(at: SecretStore) -> list[str]:
    return list(at.latest().sources())


def test_a_secret_is_found_by_its_name_in_the_region_of_the_process(aws: Any) -> None:
    aws.create_secret(Name=NAME, SecretString=toml("wk_1"))
    assert keys(store()) == ["wk_1"]


def test_a_secret_is_found_by_its_arn_wherever_the_process_is(
    aws: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    arn = aws.create_secret(Name=NAME, SecretString=toml("wk_1"))["ARN"]
    for elsewhere in ("us-east-1", ""):
        monkeypatch.setenv("AWS_REGION", elsewhere)
        assert keys(store(arn)) == ["wk_1"]


@pytest.mark.parametrize("variable", ["AWS_REGION", "AWS_DEFAULT_REGION"])
def test_the_region_of_the_process_is_in_either_variable(
    aws: Any, monkeypatch: pytest.MonkeyPatch, variable: str
) -> None:
    aws.create_secret(Name=NAME, SecretString=toml("wk_1"))
    monkeypatch.delenv("AWS_REGION")
    monkeypatch.setenv(variable, REGION)
    assert keys(store()) == ["wk_1"]


def test_a_name_without_a_region_is_refused_before_anything_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AWS_REGION")
    with pytest.raises(UsageError, match="set AWS_REGION or AWS_DEFAULT_REGION") as refused:
        store()
    assert f"{SCHEME}{NAME}" in str(refused.value)


def test_a_profile_that_is_not_there_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AWS_REGION")
    monkeypatch.setenv("AWS_PROFILE", "nobodys")
    with pytest.raises(UsageError, match="nobodys"):
        store()


@pytest.mark.parametrize(
    "location",
    [
        "secretsmanager://",
        "secretsmanager://two words",
        "secretsmanager://arn:aws:s3:::bucket",
        "secretsmanager://arn:aws:secretsmanager:us-west-2:123456789012:secret:",
        "s3://bucket/sources.toml",
        "file:///etc/sources.toml",
    ],
)
def test_what_no_store_is_at_is_one_line_that_says_what_is_allowed(location: str) -> None:
    with pytest.raises(UsageError, match="allowed") as refused:
        store_at(location, botocore.session.get_session())
    assert refused.value.exit_status == 2
    assert repr(location) in str(refused.value)
    assert SCHEME in str(refused.value)


def test_the_stamp_changes_with_the_version_and_with_nothing_else(aws: Any) -> None:
    aws.create_secret(Name=NAME, SecretString=toml("wk_1"))
    kept = store()
    first = kept.latest().stamp
    assert first is not None
    assert kept.latest().stamp == first
    aws.tag_resource(SecretId=NAME, Tags=[{"Key": "team", "Value": "data"}])
    assert kept.latest().stamp == first
    aws.put_secret_value(SecretId=NAME, SecretString=toml("wk_2"))
    second = kept.latest()
    assert second.stamp != first
    assert list(second.sources()) == ["wk_2"]


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("not TOML", "not valid TOML"),
        (json.dumps({"username": "u", "password": CANARY}), "not valid TOML"),
        (CANARY, "not valid TOML"),
        (f'password = "{CANARY}"', "unknown key 'password'"),
        ("", "the key 'sources' is missing"),
        (toml("wk", f'max_events_per_second = "{CANARY}"\n'), "max_events_per_second: expected integer"),
        (toml(CANARY, f'secret_id = "{CANARY}"\n'), "unknown key 'secret_id'"),
        (
            toml("wk") + f'secret_id = "{CANARY}!"\nrole_address = "{ROLE}"',
            "secret_id is no External ID",
        ),
        (toml("wk") + f'secret_id = "{CANARY}"', "needs a role_address"),
        (toml(CANARY) + toml(CANARY).replace('"s"', '"t"'), "share a write key"),
        (toml("wk") + f"# {CANARY}\n" + toml("wk"), "two sources have the id 's'"),
    ],
)
def test_a_secret_that_is_not_valid_is_one_line_that_shows_no_secret(aws: Any, text: str, named: str) -> None:
    aws.create_secret(Name=NAME, SecretString=text or " ")
    version = store().latest()
    with pytest.raises(SettingsError) as refused:
        version.sources()
    said = str(refused.value)
    assert said.startswith(f"{SCHEME}{NAME}: ")
    assert named in said
    assert "\n" not in said
    assert CANARY not in said


def test_a_binary_secret_is_refused(aws: Any) -> None:
    aws.create_secret(Name=NAME, SecretBinary=toml("wk").encode())
    with pytest.raises(SettingsError, match=f"{SCHEME}{NAME}: the secret is binary; allowed: TOML"):
        keys(store())


def test_a_secret_may_be_as_large_as_secrets_manager_lets_it_be(
    aws: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = toml("wk") + "# "
    text += "x" * (secret_store.MAX_BYTES - len(text))
    aws.create_secret(Name=NAME, SecretString=text)
    assert keys(store()) == ["wk"]
    # Neither Secrets Manager nor moto takes more; others may.
    monkeypatch.setattr(secret_store, "MAX_BYTES", len(text) - 1)
    with pytest.raises(SettingsError, match="the secret has 65,536 bytes; allowed: 65,535"):
        keys(store())


def test_a_secret_that_is_missing_is_a_fault_that_may_pass(aws: Any) -> None:
    kept = store()
    with pytest.raises(AwsError, match=f"{SCHEME}{NAME}: ResourceNotFoundException: .*can't find"):
        kept.latest()
    aws.create_secret(Name=NAME, SecretString=toml("wk_1"))
    assert keys(kept) == ["wk_1"]
    aws.delete_secret(SecretId=NAME)
    with pytest.raises(AwsError, match=f"{SCHEME}{NAME}: "):
        kept.latest()


def test_get_secret_value_is_all_that_is_needed_and_who_may_not_is_told(
    aws: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    aws.create_secret(Name=NAME, SecretString=toml("wk_1"))
    iam = boto3.client("iam")
    iam.create_user(UserName="task")
    key = iam.create_access_key(UserName="task")["AccessKey"]
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", key["AccessKeyId"])
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", key["SecretAccessKey"])
    allowed = {"Effect": "Allow", "Action": "secretsmanager:GetSecretValue", "Resource": "*"}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [allowed]})
    kept = store()
    latest = set_initial_no_auth_action_count(0)(kept.latest)
    with pytest.raises(AwsError, match=f"{SCHEME}{NAME}: .*not authorized to perform: .*GetSecretValue"):
        latest()
    iam.put_user_policy(UserName="task", PolicyName="task", PolicyDocument=policy)
    assert list(latest().sources()) == ["wk_1"]


def test_credentials_may_come_later(aws: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    aws.create_secret(Name=NAME, SecretString=toml("wk_1"))
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    kept = store()
    with pytest.raises(AwsError, match=f"{SCHEME}{NAME}: no AWS credentials"):
        kept.latest()
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
    assert keys(kept) == ["wk_1"]


def test_an_endpoint_that_nobody_is_at_is_a_fault_that_may_pass(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    monkeypatch.setenv("AWS_ENDPOINT_URL_SECRETS_MANAGER", f"http://127.0.0.1:{port}")
    with pytest.raises(AwsError, match=f"{SCHEME}{NAME}: Could not connect to the endpoint URL"):
        store().latest()
