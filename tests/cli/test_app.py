"""Bad usage of any command: exit status 2 and one line that names the fix."""

import os
import re
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


COMMANDS = {"serve", "check", "tail", "shards", "redrive"}


def asked(shell: str, line: str) -> dict[str, str]:
    """What a shell's completion sets, for what is written so far."""
    if shell == "bash":
        return {"COMP_WORDS": line, "COMP_CWORD": str(len(line.split(" ")) - 1)}
    return {"_TYPER_COMPLETE_ARGS": line, "_TYPER_COMPLETE_FISH_ACTION": "get-args"}


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_a_shell_gets_a_script_subcommands_and_options(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, shell: str
) -> None:
    def printed(instruction: str, line: str = "") -> str:
        with monkeypatch.context() as patch:
            patch.setenv("_HEADGATE_COMPLETE", f"{instruction}_{shell}")
            for name, value in asked(shell, line).items():
                patch.setenv(name, value)
            status, out, err = run(capsys)
        assert (status, err) == (0, "")
        return out

    assert f"_HEADGATE_COMPLETE=complete_{shell}" in printed("source")
    subcommands, options = printed("complete", "headgate "), printed("complete", "headgate redrive --de")
    assert all(re.search(rf"\b{command}\b", subcommands) for command in COMMANDS)
    assert set(re.findall(r"(?<![\w-])--[a-z-]+", options)) == {"--dead-letter-queue", "--dead-letter-file"}


@pytest.mark.parametrize("option", ["--install-completion", "--show-completion"])
def test_completion_is_offered_in_the_help(capsys: pytest.CaptureFixture[str], option: str) -> None:
    assert option in run(capsys, "--help")[1]


def test_bash_itself_completes_with_the_script_that_is_shown(tmp_path: Path) -> None:
    script = tmp_path / "headgate.sh"
    command = Path(sys.executable).with_name("headgate")
    shown = subprocess.run(
        [command],
        env=os.environ | {"_HEADGATE_COMPLETE": "source_bash"},
        capture_output=True,
        text=True,
        timeout=30,
    )
    script.write_text(shown.stdout, encoding="utf-8")
    asks = (
        f"source {script}; COMP_WORDS=({command} shards --sec); COMP_CWORD=2; "
        f"_headgate_completion {command}; echo ${{COMPREPLY[@]}}"
    )
    ended = subprocess.run(["bash", "-c", asks], capture_output=True, text=True, timeout=30)
    assert (ended.stdout, ended.stderr) == ("--seconds\n", "")


def test_help_waits_for_nothing_that_only_commands_need() -> None:
    program = "import sys; import headgate.cli.app; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert not {"asyncio", "boto3", "botocore", "duckdb", "starlette", "webbrowser"} & set(
        loaded.stdout.split()
    )
