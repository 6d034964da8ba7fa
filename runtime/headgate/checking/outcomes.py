"""What a step of a check came to."""

from dataclasses import dataclass
from typing import Literal

State = Literal["ok", "failed", "unknown", "skipped"]
"""`unknown` is what cannot be told from here; `skipped` is what depends on a step that failed."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a step came to, on one line; no secret is in it."""

    state: State
    detail: str
    """What was found, or what is wrong and with which value."""
    fix: str | None = None
    """What to do about it, or, where the state is unknown, to find out."""

    @property
    def line(self) -> str:
        """Detail and fix, as they are shown."""
        what_to_do = "fix" if self.state == "failed" else "to tell"
        return self.detail if self.fix is None else f"{self.detail}; {what_to_do}: {self.fix}"


@dataclass(frozen=True, slots=True)
class Step:
    """A step of a check that was made."""

    name: str
    outcome: Outcome
    seconds: float


def ok(detail: str) -> Outcome:
    """Return the outcome of a step that holds."""
    return Outcome("ok", detail)


def failed(detail: str, fix: str) -> Outcome:
    """Return the outcome of a step that found what is wrong."""
    return Outcome("failed", detail, fix)


def unknown(detail: str, fix: str | None = None) -> Outcome:
    """Return the outcome of a step that cannot tell from here."""
    return Outcome("unknown", detail, fix)


def skipped(failed_at: str) -> Outcome:
    """Return the outcome of a step that was not made, as it needs one that failed."""
    return Outcome("skipped", f"needs {failed_at}")
