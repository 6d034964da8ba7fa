"""The console is a room that nobody leans on: what delivers has to run without it."""

import re

from headgate.console.pages import HERE

PACKAGE = HERE.parent
IMPORTED = re.compile(r"^\s*(?:from|import) headgate\.console\b", re.MULTILINE)


def test_nothing_but_the_command_line_imports_the_console() -> None:
    importing = {
        path.relative_to(PACKAGE).as_posix()
        for path in PACKAGE.rglob("*.py")
        if IMPORTED.search(path.read_text(encoding="utf-8")) and HERE not in path.parents
    }
    assert importing == {"cli/console.py"}
