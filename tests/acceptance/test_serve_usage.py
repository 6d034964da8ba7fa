"""What the file and the machine decide ends `headgate serve` with one line and a status."""

import os
import socket
import subprocess
from pathlib import Path

import pytest

from demo.forwarder import HEADGATE

GOOD = """\
[[sources]]
id = "8kf3Qw2LpZ"
name = "Website"
write_keys = ["wk_1"]

[[sources.destinations]]
stream_name = "events"
"""


def headgate(*arguments: str) -> "subprocess.CompletedProcess[str]":
    without = ("AWS_REGION", "AWS_DEFAULT_REGION")
    nothing = {"AWS_CONFIG_FILE": os.devnull, "AWS_EC2_METADATA_DISABLED": "true"}
    return subprocess.run(
        [str(HEADGATE), *arguments],
        env={name: value for name, value in os.environ.items() if name not in without} | nothing,
        capture_output=True,
        text=True,
        timeout=60,
    )


def serve(*arguments: str) -> "subprocess.CompletedProcess[str]":
    return headgate("serve", *arguments)


@pytest.mark.parametrize(
    ("text", "named"),
    [
        (None, ["sources.toml"]),
        ("[[sources", ["sources.toml", "TOML"]),
        (GOOD.replace("write_keys", "write_key"), ["8kf3Qw2LpZ", "'write_key'", "write_keys"]),
        (GOOD.replace('"events"', "5"), ["8kf3Qw2LpZ", "stream_name", "string"]),
        (GOOD + 'ordering = "none"\n', ["8kf3Qw2LpZ", "ordering", "lane", "strict"]),
    ],
)
def test_a_bad_sources_file_is_one_line_that_names_the_setting_the_source_and_the_way_out(
    tmp_path: Path, text: str | None, named: list[str]
) -> None:
    sources = tmp_path / "sources.toml"
    if text is not None:
        sources.write_text(text, encoding="utf-8")
    ended = serve("--sources", str(sources), "--port", "0")
    assert ended.returncode in {1, 2}
    assert ended.stderr.count("\n") == 1, ended.stderr
    for name in named:
        assert name in ended.stderr


def test_a_port_in_use_is_one_line(tmp_path: Path) -> None:
    sources = tmp_path / "sources.toml"
    sources.write_text(GOOD, encoding="utf-8")
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        ended = serve("--sources", str(sources), "--port", port)
    assert ended.returncode in {1, 2}
    assert ended.stderr.count("\n") == 1, ended.stderr
    assert port in ended.stderr


def test_a_public_url_that_is_none_is_one_line(tmp_path: Path) -> None:
    sources = tmp_path / "sources.toml"
    sources.write_text(GOOD, encoding="utf-8")
    ended = serve("--sources", str(sources), "--port", "0", "--public-url", "events.example.com")
    assert ended.returncode == 2
    assert ended.stderr.count("\n") == 1, ended.stderr
    assert "--public-url is 'events.example.com'; allowed: a URL such as https://" in ended.stderr


@pytest.mark.parametrize("command", [["serve", "--port", "0"], ["redrive", "--dead-letter-file", __file__]])
@pytest.mark.parametrize(
    ("location", "named"),
    [
        ("s3://bucket/sources.toml", ["'s3://bucket/sources.toml'", "TOML file", "secretsmanager://NAME"]),
        ("secretsmanager://", ["'secretsmanager://'", "name", "ARN"]),
        ("secretsmanager://sources", ["secretsmanager://sources", "AWS_REGION", "AWS_DEFAULT_REGION"]),
    ],
)
def test_settings_that_are_nowhere_are_one_line(command: list[str], location: str, named: list[str]) -> None:
    ended = headgate(*command, "--sources", location)
    assert ended.returncode == 2
    assert ended.stderr.count("\n") == 1, ended.stderr
    for name in named:
        assert name in ended.stderr


def test_a_service_without_a_name_is_one_line(tmp_path: Path) -> None:
    sources = tmp_path / "sources.toml"
    sources.write_text(GOOD, encoding="utf-8")
    ended = serve("--sources", str(sources), "--port", "0", "--service-name", " ")
    assert (ended.returncode, ended.stderr) == (
        2,
        "headgate: --service-name is empty; allowed: a name such as headgate\n",
    )
