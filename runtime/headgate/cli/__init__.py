"""The command line: one module per command.

This module imports nothing but the standard library, so that a base install, which holds the constructs
alone, can say in one line what is missing.
"""

import sys

# What an import of each extra's commands needs, and the extra that brings it.
_EXTRA_OF = {"typer": "runtime", "rich": "runtime", "msgspec": "runtime", "boto3": "runtime"}


def main() -> None:
    """Run the command line; the console script `headgate` is this function."""
    try:
        from headgate.cli.app import run
    except ModuleNotFoundError as error:
        extra = _EXTRA_OF.get(error.name or "")
        if extra is None:
            raise
        print(  # noqa: T201
            f"headgate: this command needs an extra that is not installed: pip install 'headgate[{extra}]'",
            file=sys.stderr,
        )
        sys.exit(1)
    run()
