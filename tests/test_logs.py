import json
import logging
import subprocess
import sys

import pytest

from headgate import logs
from headgate.logs import REPEAT_SECONDS, JsonLines, RepeatLimit


def record(level: int = logging.WARNING, message: str = "it failed", **fields: object) -> logging.LogRecord:
    return logging.getLogger("t").makeRecord("t", level, "f", 1, message, (), None, extra=fields)


def test_a_line_has_time_level_message_and_the_fields_given() -> None:
    line = json.loads(JsonLines().format(record(destination="s/e", level_=1, nothing=None)))
    assert line.pop("time").endswith("+00:00")
    assert line == {"level": "warning", "message": "it failed", "destination": "s/e", "level_": 1}


def test_a_field_never_takes_the_place_of_what_every_line_has() -> None:
    assert json.loads(JsonLines().format(record(time="never")))["time"] != "never"


def test_an_exception_stays_on_its_line() -> None:
    code = (
        "import logging, warnings\n"
        "from headgate.logs import log_as_json_lines\n"
        "log_as_json_lines()\n"
        "warnings.warn('old')\n"
        "try:\n    1 / 0\nexcept ZeroDivisionError:\n    logging.exception('caught')\n"
        "raise ValueError('two\\nlines')\n"
    )
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert ended.returncode == 1
    warned, caught, uncaught = map(json.loads, ended.stderr.splitlines())
    assert "old" in warned["message"]
    assert "ZeroDivisionError" in caught["exception"]
    assert (uncaught["level"], "two\nlines" in uncaught["exception"]) == ("critical", True)


class Limit:
    def __init__(self) -> None:
        self.now = 0.0
        self._limit = RepeatLimit(lambda: self.now)

    def passes(self, given: logging.LogRecord) -> bool:
        return self._limit.filter(given)


def test_the_same_warning_is_logged_once_a_second_and_says_how_many_were_not() -> None:
    limit = Limit()
    assert [limit.passes(record(events=number)) for number in range(5)] == [True, *[False] * 4]
    limit.now += REPEAT_SECONDS
    later = record()
    assert limit.passes(later)
    assert json.loads(JsonLines().format(later))["suppressed"] == 4
    limit.now += REPEAT_SECONDS
    assert limit.passes(quiet := record())
    assert "suppressed" not in json.loads(JsonLines().format(quiet))


@pytest.mark.parametrize(
    "other",
    [
        record(message="it failed too"),
        record(destination="s/other"),
        record(source="s"),
        record(code="AccessDenied"),
        record(pid=2),
    ],
)
def test_another_message_or_one_of_somebody_else_is_not_held_back(other: logging.LogRecord) -> None:
    limit = Limit()
    assert limit.passes(record())
    assert limit.passes(other)


def test_what_is_only_told_is_never_held_back() -> None:
    limit = Limit()
    assert all(limit.passes(record(logging.INFO)) for _ in range(3))


def test_what_is_remembered_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(logs, "MAX_REMEMBERED", 10)
    limit = Limit()
    assert all(limit.passes(record(source=number)) for number in range(100))
    assert len(limit._limit._last) <= 10
