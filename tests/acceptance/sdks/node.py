"""Scripts for Segment's Node SDK, run as processes."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

from tests.acceptance.sdks.documented import ROOT

_OWN = Path(sys.executable).with_name("node")
NODE = str(_OWN) if _OWN.is_file() else shutil.which("node") or "node"


def package_version(name: str) -> str:
    """Return the installed version of a package from npm."""
    package = json.loads((ROOT / "node_modules" / name / "package.json").read_text(encoding="utf-8"))
    return str(package["version"])


def start(code: str, directory: Path, **values: Any) -> "subprocess.Popen[str]":
    """Run an ES module that finds the packages of the checkout.

    Args:
        code: the module.
        directory: an empty one.
        values: what the module calls by these names; they become JSON.
    """
    (directory / "node_modules").symlink_to(ROOT / "node_modules")
    given = "".join(f"const {name} = {json.dumps(value)}\n" for name, value in values.items())
    (directory / "script.mjs").write_text(given + code, encoding="utf-8")
    return subprocess.Popen(
        [NODE, "script.mjs"],
        cwd=directory,
        env=os.environ | {"NO_PROXY": "*"},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def finish(process: "subprocess.Popen[str]", seconds: float = 30) -> str:
    """Return what it printed, once it has ended well."""
    try:
        output, errors = process.communicate(timeout=seconds)
    finally:
        process.kill()
    assert process.returncode == 0, errors
    return output
