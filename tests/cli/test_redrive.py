"""`headgate redrive` over a file: what it lists, shows and would do, and that it takes what is asked for."""

import asyncio
import io
import json
import logging
import os
import signal
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from headgate.cli import app, redriving
from headgate.cli.letters import progress
from headgate.delivery.delivery import Delivery
from headgate.overflow.dead_letters import DeadLetter
from headgate.overflow.letter_file import FileDeadLetters, read
from headgate.testing import FakeKinesis, HangConnection
from tests.overflow.letters import EVENTS, OTHERS, a_letter

HOUR = timedelta(hours=1)
SOURCES = """\
[[sources]]
id = "src"
write_keys = ["wk"]

[[sources.destinations]]
stream_name = "events"
"""
KEYS = ["one", "two", "three", "four", ""]


def some_letters() -> list[DeadLetter]:
    """Letters of the last days."""
    now = datetime.now(UTC)
    four = '{"messageId":"four","total":1.10,"name":"\u202e"}'.encode()
    return [
        a_letter(EVENTS, "one", message="the record is too large", time=now - 36 * HOUR),
        a_letter(EVENTS, "two", code="undeliverable", time=now - 3 * HOUR),
        a_letter(OTHERS, "three", time=now - 2 * HOUR),
        a_letter(EVENTS, "four", four, time=now - HOUR / 2),
        a_letter(None, "", b"junk", code="overflow_unreadable", time=now - HOUR),
    ]


@pytest.fixture
def kinesis(monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeKinesis]:
    with FakeKinesis(streams={"events": 2, "others": 1}) as kinesis:
        monkeypatch.delenv("AWS_PROFILE", raising=False)
        for name, value in kinesis.environment().items():
            monkeypatch.setenv(name, value)
        yield kinesis


@pytest.fixture
def letters(tmp_path: Path) -> Path:
    path = tmp_path / "dead.jsonl"
    asyncio.run(FileDeadLetters(path).put(some_letters()))
    (tmp_path / "sources.toml").write_text(SOURCES, encoding="utf-8")
    return path


class Run:
    """Runs the command in this process: its exit status, its output and its errors."""

    def __init__(self, letters: Path, capfd: pytest.CaptureFixture[str], patch: pytest.MonkeyPatch) -> None:
        self._letters = letters
        self._capfd = capfd
        self._patch = patch

    def __call__(self, *options: str, terminal: bool = False) -> tuple[int, str, str]:
        argv = ["headgate", "redrive", "--dead-letter-file", str(self._letters), *options]
        with self._patch.context() as patch:
            patch.setenv("TERM", "dumb")
            patch.setenv("COLUMNS", "118")
            patch.setattr(sys, "argv", argv)
            patch.setattr(sys.stdout, "isatty", lambda: terminal)
            with pytest.raises(SystemExit) as ended:
                app.run()
        status = ended.value.code or 0
        assert isinstance(status, int)
        return status, *self._capfd.readouterr()

    def sending(self, *options: str, terminal: bool = False) -> tuple[int, str, str]:
        sources = self._letters.with_name("sources.toml")
        return self("--sources", str(sources), *options, terminal=terminal)


@pytest.fixture
def redrive(
    letters: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> Iterator[Run]:
    level = logging.getLogger("headgate").level
    yield Run(letters, capfd, monkeypatch)
    logging.getLogger("headgate").setLevel(level)


def left(letters: Path) -> list[str]:
    return [each.partition_key for _, each in read(letters)[0]]


def in_streams(kinesis: FakeKinesis) -> list[str]:
    return sorted(
        each.partition_key for name in ("events", "others") for each in kinesis.ledger.records(name)
    )


def lines(text: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in text.splitlines()]


def test_a_list_in_a_pipe_is_a_line_of_each_destination_and_code(
    kinesis: FakeKinesis, redrive: Run, letters: Path
) -> None:
    before = letters.read_bytes()
    status, output, errors = redrive("--list")
    first, *others = lines(output)
    assert (status, errors) == (0, "")
    assert first | {"oldest": "", "newest": "", "bytes": 0} == {
        "source_id": "src",
        "region": "us-west-2",
        "stream_name": "events",
        "role_address": None,
        "code": "too_large",
        "message": "no good",
        "records": 2,
        "bytes": 0,
        "oldest": "",
        "newest": "",
    }
    assert datetime.fromisoformat(first["newest"]) - datetime.fromisoformat(first["oldest"]) == 35.5 * HOUR
    assert [(each["source_id"], each["code"], each["records"]) for each in others] == [
        ("src", "undeliverable", 1),
        ("another", "too_large", 1),
        (None, "overflow_unreadable", 1),
    ]
    assert letters.read_bytes() == before
    assert not kinesis.ledger.calls


def test_a_list_on_a_terminal_is_a_table_and_the_reasons(
    kinesis: FakeKinesis, redrive: Run, letters: Path
) -> None:
    status, output, _ = redrive("--list", terminal=True)
    rows = [" ".join(line.split()) for line in output.splitlines()]
    assert status == 0
    assert rows[:3] == [
        "destination region code events KB oldest newest",
        "src/events us-west-2 too_large 2 0.1 1.5 d 30 min",
        "src/events us-west-2 undeliverable 1 0.0 3.0 h 3.0 h",
    ]
    assert "src/events: too_large: no good" in rows
    assert not kinesis.ledger.calls


def test_nothing_to_list_is_said_on_a_terminal_and_is_no_line_in_a_pipe(redrive: Run) -> None:
    assert redrive("--list", "--code", "no") == (0, "", "")
    assert redrive("--list", "--code", "no", terminal=True)[1].startswith("There is nothing")


@pytest.mark.parametrize("asked", [("four",), ("3", "--source", "src"), ("1", "--newer-than", "40m")])
def test_one_is_shown_by_its_message_id_or_its_number_among_those_asked_for(
    redrive: Run, asked: tuple[str, ...]
) -> None:
    status, output, errors = redrive("--show", *asked)
    [shown] = lines(output)
    assert (status, errors) == (0, "")
    assert shown["event"] == {"messageId": "four", "total": 1.1, "name": "\u202e"}
    assert '"total":1.10' in output
    assert (shown["partition_key"], shown["code"], shown["origin"]["stream_name"]) == (
        "four",
        "too_large",
        "events",
    )


def test_one_is_shown_on_a_terminal_with_its_event_and_cannot_steer_it(redrive: Run) -> None:
    output = redrive("--show", "four", terminal=True)[1]
    assert "src/events in us-west-2" in output
    assert ", 30 min ago" in output
    assert '{\n  "messageId": "four",\n  "total": 1.10,' in output
    assert '"name": "\\u202e"' in output
    assert "\u202e" not in output


def test_what_is_no_event_is_shown_as_data(redrive: Run) -> None:
    [shown] = lines(redrive("--show", "1", "--code", "overflow_unreadable")[1])
    assert (shown["data"], shown["origin"]) == ("anVuaw==", None)
    output = redrive("--show", "1", "--code", "overflow_unreadable", terminal=True)[1]
    assert "4 bytes that are no JSON: b'junk'" in output


def test_one_that_is_not_there_is_an_error(redrive: Run) -> None:
    line = "headgate: --show: there is no '3'; 1 was found of what was asked for\n"
    assert redrive("--show", "3", "--stream", "others") == (1, "", line)


def test_a_dry_run_tells_what_would_be_sent_where_and_does_nothing(
    kinesis: FakeKinesis, redrive: Run, letters: Path
) -> None:
    before = letters.read_bytes()
    status, output, errors = redrive.sending("--dry-run", "--max", "4")
    assert (status, errors) == (0, "")
    assert [(each["stream_name"], each["records"], each["in_settings"]) for each in lines(output)] == [
        ("events", 3, True),
        ("others", 1, False),
    ]
    output = redrive.sending("--dry-run", terminal=True)[1]
    assert "src/events" in output
    assert output.endswith("4 would be sent, 1 kept; nothing was sent.\n")
    assert letters.read_bytes() == before
    assert not kinesis.ledger.calls


@pytest.mark.parametrize(
    ("options", "sent"),
    [
        (["--source", "src"], ["four", "one", "two"]),
        (["--stream", "others", "--stream", "no"], ["three"]),
        (["--code", "undeliverable"], ["two"]),
        (["--message-id", "one", "--message-id", "three"], ["one", "three"]),
        (["--older-than", "1d"], ["one"]),
        (["--newer-than", "4h", "--older-than", "1h", "--source", "src"], ["two"]),
        (["--max", "2"], ["one", "two"]),
        (["--max", "1", "--stream", "others"], ["three"]),
        (["--max-records-per-second", "50", "--source", "src"], ["four", "one", "two"]),
    ],
)
def test_only_what_is_asked_for_is_sent_and_taken_out(
    kinesis: FakeKinesis, redrive: Run, letters: Path, options: list[str], sent: list[str]
) -> None:
    assert redrive.sending(*options) == (0, f"{len(sent)} sent, 0 kept\n", "")
    assert in_streams(kinesis) == sent
    assert sorted(left(letters)) == sorted(set(KEYS) - set(sent))


def test_what_is_asked_for_may_be_named_by_timestamps(
    kinesis: FakeKinesis, redrive: Run, letters: Path
) -> None:
    instant = next(each.time for _, each in read(letters)[0] if each.partition_key == "two").isoformat()
    assert redrive.sending("--older-than", instant, "--newer-than", instant) == (0, "1 sent, 0 kept\n", "")
    assert in_streams(kinesis) == ["two"]


def test_a_line_that_is_no_letter_is_kept_and_told_of(
    kinesis: FakeKinesis, redrive: Run, letters: Path
) -> None:
    with letters.open("ab") as file:
        file.write(b'{"torn')
    status, output, errors = redrive.sending()
    assert (status, output) == (1, "4 sent, 2 kept\n")
    assert errors == "2 kept: nobody can read where they were bound for\n"
    assert letters.read_bytes().endswith(b'{"torn\n')


def test_ctrl_c_does_not_wait_for_a_kinesis_that_never_answers(
    kinesis: FakeKinesis, redrive: Run, letters: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    submit = Delivery.submit

    def submit_and_interrupt(*arguments: Any) -> None:
        submit(*arguments)
        os.kill(os.getpid(), signal.SIGINT)

    monkeypatch.setattr(Delivery, "submit", submit_and_interrupt)
    monkeypatch.setattr(redriving, "PATIENCE_SECONDS", 0.1)
    kinesis.faults.add(HangConnection())
    status, output, errors = redrive.sending("--stream", "others")
    assert (status, output) == (130, "0 sent, 1 kept\n")
    assert "1 of another/others kept: stopping: " in errors
    assert (
        "headgate: interrupted: what was not sent is where it was, and the same command goes on\n" in errors
    )
    assert sorted(left(letters)) == sorted(KEYS)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--list", "--dry-run"], "give one of --list, --show and --dry-run at most"),
        (["--list", "--overflow-queue", "u"], "give one of --dead-letter-queue, --dead-letter-file and"),
        ([], "give --sources: where the sources and their Secret IDs are"),
        (["--dry-run"], "give --sources: where the sources and their Secret IDs are"),
        (["--show", "0"], "--show: 0 is not allowed; allowed: 1 for the first"),
        (["--list", "--older-than", "soon"], "--older-than: 'soon' is no point in time; allowed: a duration"),
        (["--max", "0"], "Invalid value for '--max'"),
        (["--max-records-per-second", "0"], "Invalid value for '--max-records-per-second'"),
    ],
)
def test_bad_usage_is_one_line(redrive: Run, options: list[str], said: str) -> None:
    status, output, errors = redrive(*options)
    assert (status, output, errors.count("\n")) == (2, "", 1)
    assert said in errors


@pytest.mark.parametrize("terminal", [True, False])
def test_progress_is_shown_on_a_terminal_alone(monkeypatch: pytest.MonkeyPatch, terminal: bool) -> None:
    class Errors(io.StringIO):
        def isatty(self) -> bool:
            return terminal

    errors = Errors()
    monkeypatch.setattr(sys, "stderr", errors)
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.setenv("COLUMNS", "118")
    with progress("messages", 7, lambda: "2 sent, 1 kept") as seen:
        seen(3)
    shown = errors.getvalue()
    assert ("2 sent, 1 kept" in shown and "3/7 messages" in shown) if terminal else not shown
