"""docs/operate.md: what it says that `headgate check` prints, which the tests compare with what it does."""

import os
import re
from pathlib import Path

DOCUMENT = Path(__file__).parents[2] / "docs/operate.md"
WRITE = "HEADGATE_WRITE_DOCS=1 .venv/bin/pytest tests/acceptance/test_check.py writes what it prints"

_PART = re.compile(r"^### (.+)$", re.MULTILINE)
_ROW = re.compile(r"^\| (?P<what>[^|]+?) \| `(?P<line>.*)` \|$", re.MULTILINE)
_EXAMPLE = r"^## {}\n.*?^```console\n\$ [^\n]+\n(.*?)^```$"
_SECONDS = re.compile(r" +\d+\.\d\d s ")


def rows() -> dict[str, dict[str, str]]:
    """Return the tables of lines: by part, what is wrong and the line that is printed."""
    _, *parts = _PART.split(DOCUMENT.read_text(encoding="utf-8"))
    tables = dict(zip(parts[::2], parts[1::2], strict=True))
    return {part: {row["what"]: row["line"] for row in _ROW.finditer(text)} for part, text in tables.items()}


def check_row(part: str, what: str, line: str) -> None:
    """Compare a line with the document's; write it where HEADGATE_WRITE_DOCS is set."""
    if rows()[part].get(what) != line and os.environ.get("HEADGATE_WRITE_DOCS"):
        text = DOCUMENT.read_text(encoding="utf-8")
        before, heading, after = text.partition(f"### {part}\n")
        table = after.partition("\n#")[0]
        old = next((row[0] for row in _ROW.finditer(table) if row["what"] == what), None)
        row = f"| {what} | `{line}` |"
        new = table.replace(old, row) if old else f"{table.rstrip()}\n{row}\n"
        DOCUMENT.write_text(before + heading + after.replace(table, new, 1), encoding="utf-8")
    assert rows()[part].get(what) == line, WRITE


def check_example(heading: str, printed: str) -> None:
    """Compare what a command printed with the first example under a heading, but for the seconds."""
    text = DOCUMENT.read_text(encoding="utf-8")
    found = re.compile(_EXAMPLE.format(re.escape(heading)), re.MULTILINE | re.DOTALL).search(text)
    assert found is not None, heading
    if _masked(found[1]) != _masked(printed) and os.environ.get("HEADGATE_WRITE_DOCS"):
        DOCUMENT.write_text(text[: found.start(1)] + printed + text[found.end(1) :], encoding="utf-8")
        return
    assert _masked(found[1]) == _masked(printed), WRITE


def _masked(printed: str) -> str:
    return _SECONDS.sub(" 0.00 s ", printed)
