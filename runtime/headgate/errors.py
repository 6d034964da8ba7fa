"""Every error that Headgate raises on purpose.

```
HeadgateError
├── AwsError              AWS refused what a command asked of it, or could not be reached
├── BusyError             another process is at work on the same audience
└── UsageError            the command line or a file asks for something that cannot be: exit status 2
    └── SettingsError     a settings file, environment or table that does not hold what it should
```

The text of each is one line for a person: what is wrong, the value, what is allowed.
"""

INTERRUPTED = 128 + 2
"""Exit status of a command that its user interrupted: what a shell reports of one that SIGINT ended."""


def one_line(said: object) -> str:
    """Return a text on one line and with no full stop at its end."""
    return " ".join(str(said).split()).rstrip(".")


class HeadgateError(Exception):
    """Base of all of Headgate's errors; a command that ends with one exits with status 1."""

    exit_status = 1


class AwsError(HeadgateError):
    """AWS refused a command's call (credentials, permission, a missing stream) or could not be reached."""


class BusyError(HeadgateError):
    """Another process syncs the audience, or has taken it over."""


class UsageError(HeadgateError):
    """What was asked for cannot be done as asked; the text names the fix. Exit status 2."""

    exit_status = 2


class SettingsError(UsageError):
    """Settings are missing, are not TOML, or hold an unknown key, a wrong type or a value out of range.

    Args:
        text: the line.
        field: the name of the field where it is mended, if it is one.
        problem: what the line says for whoever is looking at that field; the whole line where it is left out.
    """

    def __init__(self, text: str, *, field: str | None = None, problem: str | None = None) -> None:
        super().__init__(text)
        self.field = field
        self.problem = problem if problem is not None else text
