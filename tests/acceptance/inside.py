"""Runs in an image, on its own Python, and prints as JSON what is in it: `python3 -c ... DIRECTORY`."""

import importlib.util
import json
import os
import sys
from pathlib import Path

# What the engine puts into every container.
NOT_OF_THE_IMAGE = ("/proc/", "/sys/", "/dev/", "/run/", "/etc/hostname", "/etc/hosts", "/etc/resolv.conf")


def bytecode_of(source: Path) -> str:
    """Return how the bytecode of a source is validated: PEP 552's flags in its header."""
    compiled = Path(importlib.util.cache_from_source(source))
    if not compiled.exists():
        return "absent"
    flags = int.from_bytes(compiled.read_bytes()[4:8], "little")
    return {0: "by time", 1: "unchecked", 3: "by hash"}[flags]


def machine_of(library: Path) -> int:
    """Return the machine that a shared library is for: e_machine in the header of an ELF file."""
    head = library.read_bytes()[:20]
    return int.from_bytes(head[18:20], "little") if head.startswith(b"\x7fELF") else -1


def main(directory: Path) -> None:
    """Print what is in a directory that the image adds, and which files there are elsewhere."""
    files = [os.path.join(at, name) for at, _, names in os.walk("/") for name in names]  # noqa: PTH118
    within = [Path(file) for file in files if Path(file).is_relative_to(directory)]
    told = {
        "elsewhere": sorted(
            file for file in files if not file.startswith((*NOT_OF_THE_IMAGE, f"{directory}/"))
        ),
        "within": sorted(str(file.relative_to(directory)) for file in within),
        "unreadable": [str(file) for file in within if not file.stat().st_mode & 0o004],
        "bytecode": sorted({bytecode_of(file) for file in within if file.suffix == ".py"}),
        "machines": sorted({machine_of(file) for file in within if ".so" in file.suffixes}),
    }
    print(json.dumps(told))  # noqa: T201  # the test reads it


main(Path(sys.argv[1]))
