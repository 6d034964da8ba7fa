"""What axe-core finds wrong with a page in Playwright's browser: https://github.com/dequelabs/axe-core."""

from functools import cache
from pathlib import Path
from typing import Any

from playwright.sync_api import Page

_SCRIPT = Path(__file__).parents[2] / "node_modules" / "axe-core" / "axe.min.js"
_RUN = "async () => (await axe.run(document, {resultTypes: ['violations']})).violations"
_STILL = "() => document.getAnimations().forEach((each) => each.finish())"


def violations(page: Page) -> list[str]:
    """Return the rules that a page breaks as it is now, one line for each element that does.

    The script comes by `page.evaluate`, which a Content-Security-Policy does not stop. Colours are compared
    as they are once they have stopped to change.
    """
    page.evaluate(_STILL)
    if not page.evaluate("() => 'axe' in window"):
        page.evaluate(_script())
    return [
        f"{rule['id']} ({rule['impact']}): {rule['help']}: {_place(node)}: {_why(node)}"
        for rule in page.evaluate(_RUN)
        for node in rule["nodes"]
    ]


@cache
def _script() -> str:
    return _SCRIPT.read_text(encoding="utf-8")


def _place(node: dict[str, Any]) -> str:
    return " ".join(map(str, node["target"]))


def _why(node: dict[str, Any]) -> str:
    return " ".join(node["failureSummary"].split()).removeprefix("Fix any of the following: ")
