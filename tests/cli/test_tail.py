import base64
import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import boto3
import pytest
from moto import mock_aws

from headgate.cli.tail import tail
from headgate.errors import AwsError, UsageError

REGION = "eu-west-1"


@pytest.fixture
def kinesis(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    for name in ("AWS_PROFILE", "AWS_REGION", "AWS_DEFAULT_REGION", "AWS_ENDPOINT_URL"):
        monkeypatch.delenv(name, raising=False)
    with mock_aws():
        client = boto3.client("kinesis", region_name=REGION)
        client.create_stream(StreamName="events", ShardCount=3)
        yield client


@pytest.fixture
def bare_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No settings of AWS at all, and no waiting for what cannot come."""
    for name in ("AWS_PROFILE", "AWS_REGION", "AWS_DEFAULT_REGION", "AWS_ENDPOINT_URL"):
        monkeypatch.delenv(name, raising=False)
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "credentials"))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")


def put(kinesis: Any, *keys: str, data: bytes = b'{"type":"page"}') -> None:
    for key in keys:
        kinesis.put_record(StreamName="events", Data=data, PartitionKey=key)


def lines(capfd: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    return [json.loads(line) for line in capfd.readouterr().out.splitlines()]


def test_every_shard_is_printed_as_json_lines(kinesis: Any, capfd: pytest.CaptureFixture[str]) -> None:
    keys = [f"user-{n}" for n in range(20)]
    put(kinesis, *keys)
    tail("events", region=REGION, since="trim-horizon")
    found = lines(capfd)
    assert sorted(line["partitionKey"] for line in found) == sorted(keys)
    assert {line["shardId"] for line in found} == {f"shardId-{n:012}" for n in range(3)}
    assert all(line["event"] == {"type": "page"} and line["sequenceNumber"] for line in found)


def test_the_last_ten_minutes_are_printed_by_default(kinesis: Any, capfd: pytest.CaptureFixture[str]) -> None:
    put(kinesis, "a")
    tail("events", region=REGION)
    assert [line["partitionKey"] for line in lines(capfd)] == ["a"]


def test_since_leaves_out_what_came_before(kinesis: Any, capfd: pytest.CaptureFixture[str]) -> None:
    put(kinesis, "before")
    instant = datetime.now(UTC)
    put(kinesis, "after")
    tail("events", region=REGION, since=instant.isoformat())
    assert [line["partitionKey"] for line in lines(capfd)] == ["after"]


def test_limit_ends_it_even_when_following(kinesis: Any, capfd: pytest.CaptureFixture[str]) -> None:
    put(kinesis, *"abcdefgh")
    tail("events", region=REGION, follow=True, limit=3)
    assert len(lines(capfd)) == 3


def test_a_record_that_is_no_json_is_printed_too(kinesis: Any, capfd: pytest.CaptureFixture[str]) -> None:
    put(kinesis, "a", data=b"\x00\xff")
    tail("events", region=REGION)
    assert [base64.b64decode(line["data"]) for line in lines(capfd)] == [b"\x00\xff"]


def test_the_region_is_the_environments_where_none_is_given(
    kinesis: Any, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    put(kinesis, "a")
    monkeypatch.setenv("AWS_REGION", REGION)
    tail("events")
    assert len(lines(capfd)) == 1


def test_a_missing_stream_is_one_line(kinesis: Any) -> None:
    with pytest.raises(
        AwsError, match=r"^no stream 'evnts' in eu-west-1: [^\n]*; check the name and --region$"
    ):
        tail("evnts", region=REGION)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"stream": "a b"}, "STREAM: 'a b' is no stream name; allowed: 1 to 128"),
        ({"stream": ""}, "STREAM: '' is no stream name"),
        ({"limit": 0}, "--limit: 0 is too few; allowed: 1 or more"),
        ({"since": "yesterday"}, "--since: 'yesterday' is no point in time"),
        ({"region": "eu west 1"}, "eu west 1"),
        ({"region": None}, "no region: give --region, or set AWS_REGION"),
    ],
)
def test_bad_usage_is_one_line(bare_environment: None, arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(UsageError) as caught:
        tail(**{"stream": "events", "region": REGION} | arguments)
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_missing_profile_is_one_line(bare_environment: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_PROFILE", "nobody")
    with pytest.raises(UsageError, match=r"nobody"):
        tail("events", region=REGION)


def test_no_credentials_is_one_line(bare_environment: None) -> None:
    with pytest.raises(
        AwsError, match=r"^Unable to locate credentials; set AWS_PROFILE, or AWS_ACCESS_KEY_ID .*in$"
    ):
        tail("events", region=REGION)


def test_a_region_that_is_not_there_is_named_with_the_one_that_was_meant(
    bare_environment: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "a")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "b")
    # No name under .invalid is ever found (RFC 2606), so the test asks nothing of the network.
    monkeypatch.setenv("AWS_ENDPOINT_URL_KINESIS", "http://kinesis.invalid")
    said = r"kinesis\.invalid.*; no region 'eu-wets-1' is known \(did you mean 'eu-west-\d'.*\?\)$"
    with pytest.raises(AwsError, match=said):
        tail("events", region="eu-wets-1")


def test_filters_choose_what_is_printed_and_what_the_limit_counts(
    kinesis: Any, capfd: pytest.CaptureFixture[str]
) -> None:
    for number in range(4):
        for user in ("u1", "u2", "u3"):
            event = {"type": "track", "event": "Order", "userId": user, "messageId": f"{user}/{number}"}
            put(kinesis, user, data=json.dumps(event | {"projectId": f"source-{number % 2}"}).encode())
    put(kinesis, "u1")
    tail("events", region=REGION, type_=["track"], user_id=["u1", "u2"], source=["source-1"])
    assert sorted(line["event"]["messageId"] for line in lines(capfd)) == ["u1/1", "u1/3", "u2/1", "u2/3"]
    tail("events", region=REGION, event=["Order"], message_id=["u3/2", "u3/3"], limit=1)
    assert [line["event"]["userId"] for line in lines(capfd)] == ["u3"]


def test_stats_are_json_lines_that_add_up(kinesis: Any, capfd: pytest.CaptureFixture[str]) -> None:
    received = datetime.now(UTC).isoformat(timespec="milliseconds")
    data = json.dumps({"type": "page", "receivedAt": received}).encode()
    put(kinesis, *"abcdefgh", data=data)
    tail("events", region=REGION, stats=True)
    shown = lines(capfd)
    assert sum(line["records"] for line in shown) == 8
    assert sum(line["bytes"] for line in shown) == 8 * (len(data) + 1)
    for line in shown:
        assert line["records"] == sum(shard["records"] for shard in line["shards"].values())
        assert line["recordsPerSecond"] == pytest.approx(line["records"] / line["seconds"], rel=0.1)
        assert 0 <= line["delaySeconds"]["median"] <= line["delaySeconds"]["max"] < 60
        assert datetime.fromisoformat(line["time"]).tzinfo is not None
