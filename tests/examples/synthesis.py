"""Each app of this repository as a process, under CDK's strict validation and cdk-nag."""

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]

# The apps are run as they are; only this adds cdk-nag to them.
_CHECKED = """
import runpy
import sys

import aws_cdk as cdk
from cdk_nag import AwsSolutionsChecks

synth = cdk.App.synth

def checked_synth(app):
    cdk.Validations.of(app).add_plugins(AwsSolutionsChecks(app))
    return synth(app)

cdk.App.synth = checked_synth
runpy.run_path(sys.argv[1], run_name="__main__")
"""


@dataclass(frozen=True)
class Synthesis:
    """What one run left behind."""

    done: subprocess.CompletedProcess[str]
    outdir: Path

    @property
    def templates(self) -> list[Path]:
        return sorted(self.outdir.glob("*.template.json"))

    def acknowledged(self) -> set[tuple[str, str]]:
        """Where the app acknowledges which rule, by construct paths."""
        return {
            (path.lstrip("/"), rule)
            for file in self.outdir.glob("*.metadata.json")
            for path, entries in json.loads(file.read_text()).items()
            for entry in entries
            if entry["type"] == "aws:cdk:acknowledged-rules"
            for rule in entry["data"]
        }

    def findings(self) -> set[str]:
        """The rules of cdk-nag and of CDK's own validation that the app breaks and does not acknowledge."""
        report: dict[str, Any] = json.loads((self.outdir / "validation-report.json").read_text())
        return {one["ruleName"] for plugin in report["pluginReports"] for one in plugin["violations"]}


def synthesize(app: Path, outdir: Path, *, checked: bool, **context: str) -> Synthesis:
    """Run one app, with every check or as fast as can be."""
    flags = json.loads((ROOT / "cdk.json").read_text())["context"]
    node = Path(sys.executable).with_name("node")
    done = subprocess.run(
        [sys.executable, *(["-c", _CHECKED] if checked else []), app],
        env={
            **os.environ,
            **({"JSII_NODE": str(node)} if node.is_file() else {}),
            "PYTHONPATH": f"{ROOT}:{ROOT / 'runtime'}",
            "CDK_VALIDATION": "true" if checked else "false",
            "CDK_CONTEXT_JSON": json.dumps(flags | context),
            "CDK_OUTDIR": str(outdir),
        },
        capture_output=True,
        text=True,
    )
    return Synthesis(done, outdir)
