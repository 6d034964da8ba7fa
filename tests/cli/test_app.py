"""Bad usage of any command: exit status 2 and one line that names the fix."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
import typer

import headgate
from headgate.cli import app


def run(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    """Run the command line in this process; its exit status, its output and its errors."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "argv", ["headgate", *arguments])
        with pytest.raises(SystemExit) as ended:
            app.run()
    status = ended.value.code or 0
    assert isinstance(status, int)
    return status, *capsys.readouterr()


@pytest.mark.parametrize(
    ("arguments", "command", "said"),
    [
        ("tail", "headgate tail", "Missing argument 'STREAM'"),
        ("tail events more", "headgate tail", "Got unexpected extra argument(s) (more)"),
        ("tail events --regoin x", "headgate tail", "No such option: --regoin (Possible options: --region)"),
        (
            "tail events --limit few",
            "headgate tail",
            "Invalid value for '--limit': Input should be a valid integer, "
            "unable to parse string as an integer",
        ),
        ("tail events --limit", "headgate", "Option '--limit' requires an argument"),
        ("tial", "headgate", "No such command 'tial'. Did you mean 'tail'?"),
    ],
)
def test_bad_usage_is_one_line_and_status_2(
    capsys: pytest.CaptureFixture[str], arguments: str, command: str, said: str
) -> None:
    line = f"{command}: {said} (see: {command} --help)\n"
    assert run(capsys, *arguments.split()) == (2, "", line)


def test_an_argument_that_a_command_refuses_is_one_line_too(capsys: pytest.CaptureFixture[str]) -> None:
    line = "headgate: STREAM: 'a b' is no stream name; allowed: 1 to 128 letters, digits and any of _ . -\n"
    assert run(capsys, "tail", "a b") == (2, "", line)


@pytest.mark.parametrize(
    "command", [[], ["serve"], ["check"], ["tail"], ["audience", "sync"], ["trait", "sync"]]
)
def test_help_is_no_error(capsys: pytest.CaptureFixture[str], command: list[str]) -> None:
    status, out, err = run(capsys, *command, "--help")
    assert (status, err) == (0, "")
    assert " ".join(["Usage: headgate", *command]) in out


def test_without_a_command_the_help_is_shown_and_nothing_was_done(capsys: pytest.CaptureFixture[str]) -> None:
    status, out, err = run(capsys)
    assert (status, err) == (2, "")
    assert "tail" in out


def test_the_version_is_shown(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(capsys, "--version") == (0, f"headgate {headgate.__version__}\n", "")


def test_python_runs_it_by_its_name_where_there_is_no_script_of_it() -> None:
    command = [sys.executable, "-m", "headgate", "--version"]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=30)
    assert (ended.returncode, ended.stdout) == (0, f"headgate {headgate.__version__}\n")


@pytest.mark.parametrize(
    ("raised", "status", "line"),
    [
        (KeyboardInterrupt(), 130, ""),
        (typer.Abort(), 130, "headgate: interrupted\n"),
        (typer.Exit(7), 7, ""),
    ],
)
def test_an_interrupted_command_ends_with_its_status(
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    raised: BaseException,
    status: int,
    line: str,
) -> None:
    def end(*_: object) -> None:
        raise raised

    monkeypatch.setattr("headgate.cli.tail._tail", end)
    assert run(capsys, "tail", "events") == (status, "", line)


def test_a_shell_still_completes() -> None:
    command = [Path(sys.executable).with_name("headgate")]
    asked = {"_HEADGATE_COMPLETE": "complete_bash", "COMP_WORDS": "headgate ta", "COMP_CWORD": "1"}
    ended = subprocess.run(command, env=os.environ | asked, capture_output=True, text=True, timeout=30)
    assert (ended.stdout.split(), ended.stderr) == (["tail"], "")
