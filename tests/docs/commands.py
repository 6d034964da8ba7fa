"""The commands that the documents tell their readers to run."""

import re
from dataclasses import dataclass
from pathlib import Path

from tests.examples.synthesis import ROOT

DOCUMENTS = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md")), ROOT / "bench/README.md"]

_BLOCK = re.compile(r"^(?P<indent> *)```console\n(?P<text>.*?)^ *```$", re.DOTALL | re.MULTILINE)
_HERE_DOCUMENT = re.compile(r"<<(\w+)")


@dataclass(frozen=True)
class Command:
    """What stands behind one `$`, and what the document shows under it."""

    document: str
    text: str
    shown: str

    def __str__(self) -> str:
        return f"{self.document}: {self.text.splitlines()[0]}"


def commands_of(document: Path) -> list[Command]:
    """Return the commands of a document in the order in which a reader runs them."""
    name, found = str(document.relative_to(ROOT)), []
    for block in _BLOCK.finditer(document.read_text(encoding="utf-8")):
        lines = [line.removeprefix(block["indent"]) for line in block["text"].splitlines()]
        found += [Command(name, *parts) for parts in _split(lines)]
    return found


def _split(lines: list[str]) -> list[tuple[str, str]]:
    """Split a block into commands, each with what is shown under it."""
    found: list[tuple[str, str]] = []
    rest = iter(lines)
    for line in rest:
        if not line.startswith("$ "):
            assert found, f"a block of commands begins with {line!r}"
            found[-1] = (found[-1][0], f"{found[-1][1]}{line}\n")
            continue
        text = line.removeprefix("$ ")
        while text.endswith("\\"):
            text += f"\n{next(rest)}"
        if here := _HERE_DOCUMENT.search(text):
            while not text.endswith(f"\n{here[1]}"):
                text += f"\n{next(rest)}"
        found.append((text, ""))
    return found
