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


def serve(*arguments: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [str(HEADGATE), "serve", *arguments],
        env=os.environ | {"AWS_EC2_METADATA_DISABLED": "true"},
        capture_output=True,
        text=True,
        timeout=60,
    )


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
