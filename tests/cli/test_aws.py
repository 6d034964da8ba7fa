"""Credentials, profile, region and endpoint are found alike by every command, as in every AWS tool."""

import asyncio
import logging
import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from headgate.cli import app
from headgate.overflow.letter_file import FileDeadLetters
from headgate.overflow.origin import Origin
from headgate.testing import FakeKinesis
from tests.overflow.letters import a_letter

REGION, ELSEWHERE = "eu-west-1", "ap-southeast-2"
OURS, OTHERS = "AKIAOURS000000000000", "AKIAOTHERS0000000000"
SOURCES = f"""\
[[sources]]
id = "src"
write_keys = ["wk"]

[[sources.destinations]]
region = "{REGION}"
stream_name = "events"
"""
BY_STREAM = ["tail events --since 1m", "shards events --seconds 5"]
BY_SETTINGS = ["check --sources sources.toml", "redrive --sources sources.toml --dead-letter-file dead.jsonl"]
COMMANDS = BY_STREAM + BY_SETTINGS
KEYS = {"AWS_ACCESS_KEY_ID": OURS, "AWS_SECRET_ACCESS_KEY": "secret"}


@pytest.fixture
def kinesis(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeKinesis]:
    """A Kinesis in one region, and a directory with settings, a dead letter and profiles."""
    level = logging.getLogger("headgate").level
    monkeypatch.chdir(tmp_path)
    for name in [each for each in os.environ if each.startswith("AWS_")]:
        monkeypatch.delenv(name)
    with FakeKinesis(streams={"events": 1}, region=REGION) as kinesis:
        Path("config").write_text(
            f"[profile ours]\nregion = {REGION}\nendpoint_url = {kinesis.url}\n"
            f"[profile elsewhere]\nregion = {ELSEWHERE}\n",
            encoding="utf-8",
        )
        Path("credentials").write_text(
            f"[ours]\naws_access_key_id = {OURS}\naws_secret_access_key = secret\n"
            f"[elsewhere]\naws_access_key_id = {OTHERS}\naws_secret_access_key = secret\n",
            encoding="utf-8",
        )
        Path("sources.toml").write_text(SOURCES, encoding="utf-8")
        origin = Origin(source_id="src", region=REGION, stream_name="events", role_address=None)
        asyncio.run(FileDeadLetters(Path("dead.jsonl")).put([a_letter(origin)]))
        for name, value in {
            "AWS_CONFIG_FILE": "config",
            "AWS_SHARED_CREDENTIALS_FILE": "credentials",
            "AWS_EC2_METADATA_DISABLED": "true",
            "NO_PROXY": "127.0.0.1",
        }.items():
            monkeypatch.setenv(name, value)
        yield kinesis
    logging.getLogger("headgate").setLevel(level)


def headgate(capfd: pytest.CaptureFixture[str], command: str) -> tuple[int, str]:
    """Run a command in this process; its exit status and its errors."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "argv", ["headgate", *command.split()])
        with pytest.raises(SystemExit) as ended:
            app.run()
    status = ended.value.code or 0
    assert isinstance(status, int)
    return status, capfd.readouterr().err


WAYS = {
    "profile": {"AWS_PROFILE": "ours"},
    "AWS_REGION": KEYS | {"AWS_REGION": REGION, "AWS_DEFAULT_REGION": ELSEWHERE, "AWS_ENDPOINT_URL": "URL"},
    "AWS_DEFAULT_REGION": KEYS | {"AWS_DEFAULT_REGION": REGION, "AWS_ENDPOINT_URL": "URL"},
    "the service's own endpoint": KEYS
    | {"AWS_REGION": REGION, "AWS_ENDPOINT_URL": "http://127.0.0.1:9"}
    | {f"AWS_ENDPOINT_URL_{service}": "URL" for service in ("KINESIS", "STS", "IAM")},
}


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("command", COMMANDS)
def test_a_command_reaches_kinesis(
    kinesis: FakeKinesis,
    capfd: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    command: str,
    way: str,
) -> None:
    for name, value in WAYS[way].items():
        monkeypatch.setenv(name, kinesis.url if value == "URL" else value)
    assert headgate(capfd, command) == (0, "")
    asked = [each for each in kinesis.ledger.requests() if each.service == "kinesis"]
    assert asked
    assert {each.access_key for each in asked} == {OURS}


@pytest.mark.parametrize("region", ["AWS_REGION", ""])
@pytest.mark.parametrize("command", BY_SETTINGS)
def test_what_names_its_region_itself_is_asked_there(
    kinesis: FakeKinesis,
    capfd: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    command: str,
    region: str,
) -> None:
    for name, value in (
        KEYS | {"AWS_ENDPOINT_URL": kinesis.url} | ({region: ELSEWHERE} if region else {})
    ).items():
        monkeypatch.setenv(name, value)
    assert headgate(capfd, command) == (0, "")


@pytest.mark.parametrize("command", BY_STREAM)
def test_an_option_goes_before_the_environment_and_no_region_at_all_is_one_line(
    kinesis: FakeKinesis, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, command: str
) -> None:
    for name, value in (KEYS | {"AWS_ENDPOINT_URL": kinesis.url}).items():
        monkeypatch.setenv(name, value)
    line = "headgate: no region: give --region, or set AWS_REGION or a region in the profile\n"
    assert headgate(capfd, command) == (2, line)
    monkeypatch.setenv("AWS_REGION", ELSEWHERE)
    assert headgate(capfd, f"{command} --region {REGION}") == (0, "")


ANY = [
    *COMMANDS,
    "redrive --list --overflow-queue http://127.0.0.1:9/1/queue",
    "serve --sources sources.toml",
]


@pytest.mark.parametrize("command", ANY)
def test_a_profile_that_is_not_there_is_one_line(
    kinesis: FakeKinesis, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, command: str
) -> None:
    monkeypatch.setenv("AWS_PROFILE", "missing")
    line = "headgate: The config profile (missing) could not be found\n"
    assert headgate(capfd, command) == (2, line)
    assert not kinesis.ledger.calls


@pytest.mark.parametrize("command", ANY)
def test_a_configuration_that_cannot_be_read_is_one_line(
    kinesis: FakeKinesis, capfd: pytest.CaptureFixture[str], command: str
) -> None:
    Path("config").write_text("no configuration", encoding="utf-8")
    status, errors = headgate(capfd, command)
    assert (status, errors.count("\n")) == (2, 1)
    assert "config" in errors
    assert not kinesis.ledger.calls
