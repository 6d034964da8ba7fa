"""docs/sdks.md: its code, which the tests run, and its table, which they write."""

import os
import re
from collections.abc import Collection
from pathlib import Path

from tests.acceptance.sdks.calls import CALLS, DOCUMENTED_URL

ROOT = Path(__file__).parents[3]
DOCUMENT = ROOT / "docs/sdks.md"

_HEADING = re.compile(r"^## (.+)$", re.MULTILINE)
_FENCE = re.compile(r"^```([a-z]+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_ROW = re.compile(r"^\| ([^|]+?) \|.*\|$", re.MULTILINE)


def blocks(section: str) -> list[str]:
    """Return the code of a section, in order."""
    return [code for _, code in _FENCE.findall(_sections()[section])]


def block(section: str, holding: str, url: str) -> str:
    """Return the one block of a section that holds a text, with the URL of a forwarder that runs."""
    [code] = [each for each in blocks(section) if holding in each]
    assert DOCUMENTED_URL in code
    return code.replace(DOCUMENTED_URL, url)


def rows() -> dict[str, str]:
    """Return the lines of the table of what arrived, by what stands in their first column."""
    _, _, after = _sections()["What arrives"].partition("|---|")
    return {row[1]: row[0] for row in _ROW.finditer(after)}


def check_row(sdk: str, version: str, how: str, calls: Collection[str], form: str, arrived: str) -> None:
    """Compare a row of the table with what a run has shown; write it where HEADGATE_WRITE_DOCS is set.

    Args:
        sdk: which.
        version: of the SDK.
        how: whether it ran itself.
        calls: the types of the calls that it made.
        form: in what form.
        arrived: what became of them.
    """
    left_out = [type_ for type_ in CALLS if type_ not in calls]
    types = f"all but {', '.join(left_out)}" if left_out and len(calls) > 1 else ", ".join(calls)
    row = f"| {sdk} | {version} | {how} | {types if left_out else 'all six'} | {form} | {arrived} |"
    committed = rows().get(sdk)
    if committed != row and os.environ.get("HEADGATE_WRITE_DOCS"):
        text = DOCUMENT.read_text(encoding="utf-8")
        if committed is None:
            *_, last = rows().values() or ["|---|---|---|---|---|---|"]
            text = text.replace(last, f"{last}\n{row}")
        else:
            text = text.replace(committed, row)
        DOCUMENT.write_text(text, encoding="utf-8")
        committed = row
    assert committed == row, "docs/sdks.md says otherwise; `make sdks` writes what the run has shown"


def _sections() -> dict[str, str]:
    _, *parts = _HEADING.split(DOCUMENT.read_text(encoding="utf-8"))
    return dict(zip(parts[::2], parts[1::2], strict=True))
