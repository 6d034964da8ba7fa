"""Logs: one JSON object a line on standard error, without secrets and without event content."""

import json
import logging
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime
from types import TracebackType

_STANDARD = frozenset(logging.makeLogRecord({}).__dict__) | {
    "message",
    "asctime",
    "taskName",
    "color_message",
}


REPEAT_SECONDS = 1.0
"""How long the same warning or error is not logged again."""
MAX_REMEMBERED = 10_000
"""Warnings that are remembered to know a repeated one; with more, all are forgotten."""
_WHOM = ("destination", "source", "code", "pid")


class JsonLines(logging.Formatter):
    """Renders a record, and whatever was given as `extra`, as one JSON object."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line."""
        line = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "message": record.getMessage(),
        }
        line |= {
            key: value
            for key, value in record.__dict__.items()
            if key not in _STANDARD and key not in line and value is not None
        }
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        return json.dumps(line, default=str)


class RepeatLimit(logging.Filter):
    """Lets a warning or an error through once a second, so that an outage does not flood the log.

    Two are the same when logger, message and whom they speak of are. The next one that is let through says in
    `suppressed` how many were not.
    """

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        super().__init__()
        self._now = now
        self._last: dict[tuple[object, ...], tuple[float, int]] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        """Return whether the record is logged; logging calls this."""
        if record.levelno < logging.WARNING:
            return True
        now = self._now()
        key = (record.name, record.msg, *(getattr(record, name, None) for name in _WHOM))
        at, suppressed = self._last.get(key, (now - REPEAT_SECONDS, 0))
        if now - at < REPEAT_SECONDS:
            self._last[key] = at, suppressed + 1
            return False
        if len(self._last) >= MAX_REMEMBERED:
            self._last.clear()
        self._last[key] = now, 0
        if suppressed:
            record.suppressed = suppressed
        return True


def log_as_json_lines() -> None:
    """Send every log of the process to standard error as JSON lines."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonLines())
    handler.addFilter(RepeatLimit())
    logging.basicConfig(level=logging.INFO, handlers=[handler], force=True)
    for chatty in ("botocore", "boto3", "urllib3", "asyncio"):
        logging.getLogger(chatty).setLevel(logging.WARNING)
    logging.captureWarnings(True)  # noqa: FBT003  # the standard library's signature
    sys.excepthook = _log_what_nobody_caught


def _log_what_nobody_caught(
    kind: type[BaseException], error: BaseException, traceback: TracebackType | None
) -> None:
    logging.getLogger(__name__).critical(
        "the process ends in a way nobody foresaw", exc_info=(kind, error, traceback)
    )
