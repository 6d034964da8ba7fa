"""What `headgate console` takes, and what it refuses before it listens."""

from pathlib import Path
from typing import Any

import pytest

import headgate.console.serving
from headgate.cli.console import console
from headgate.console.desk import ConsoleOptions, Elsewhere
from headgate.errors import UsageError


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> list[ConsoleOptions]:
    """What a console was opened on, in a process with no settings of AWS."""
    for name in ("AWS_PROFILE", "AWS_REGION", "AWS_DEFAULT_REGION"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    found: list[ConsoleOptions] = []

    def serve(options: ConsoleOptions, *_: Any) -> None:
        found.append(options)

    monkeypatch.setattr(headgate.console.serving, "serve", serve)
    return found


def test_figures_come_from_the_status_page_unless_cloudwatch_is_asked_for(
    opened: list[ConsoleOptions], monkeypatch: pytest.MonkeyPatch
) -> None:
    console()
    console(cloudwatch=True, service_name="events", region="eu-west-1")
    monkeypatch.setenv("AWS_REGION", "us-east-1")
    console(cloudwatch=True)
    assert [each.cloudwatch for each in opened] == [
        None,
        Elsewhere("events", "eu-west-1"),
        Elsewhere("headgate", "us-east-1"),
    ]
    assert opened[0].status == "http://127.0.0.1:8081/statusz"


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"cloudwatch": True}, "no region: give --region"),
        ({"cloudwatch": True, "service_name": " ", "region": "eu-west-1"}, "--service-name is empty"),
        ({"cloudwatch": True, "status": "http://127.0.0.1:1/"}, "give one of --status and --cloudwatch"),
        ({"status": "ftp://x"}, "--status is 'ftp://x'"),
    ],
)
def test_what_cannot_be_is_refused_at_once(
    opened: list[ConsoleOptions], options: dict[str, Any], said: str
) -> None:
    with pytest.raises(UsageError, match=said):
        console(**options)
    assert opened == []
