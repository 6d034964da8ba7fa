"""CDK's own check of templates, in its strict form, on all that this app can make of its environments."""

import json
import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]

# The check is decided when a process first imports aws_cdk, and this suite leaves it out.
SYNTHESIZE = """
import json, sys
from pathlib import Path

import aws_cdk as cdk

from environments import load
from environments.loader import DIRECTORY
from stacks.stream import StreamStack

outdir, context, defect = Path(sys.argv[1]), json.loads(sys.argv[2]), sys.argv[3:]
app = cdk.App(context=context, outdir=str(outdir))
for file in DIRECTORY.glob("*.toml"):
    environment = load(file.stem)
    stack = StreamStack(
        app, file.stem, environment=environment, env=cdk.Environment(region=environment.region)
    )
    if defect:
        stack.event_stream.stream.node.default_child.add_property_override(*defect)
app.synth()
"""


def synthesize(outdir: Path, *defect: str) -> subprocess.CompletedProcess[str]:
    context = json.loads((ROOT / "cdk.json").read_text())["context"]
    context |= {"headgate:allow-destroy": True, "@aws-cdk/core:validateAgainstDefaultRules": True}
    return subprocess.run(
        [sys.executable, "-c", SYNTHESIZE, outdir, json.dumps(context), *defect],
        env={**os.environ, "CDK_VALIDATION": "true", "PYTHONPATH": f"{ROOT}:{ROOT / 'runtime'}"},
        capture_output=True,
        text=True,
    )


def test_every_environment_passes(tmp_path: Path) -> None:
    done = synthesize(tmp_path)
    assert done.returncode == 0, done.stderr
    assert json.loads((tmp_path / "validation-report.json").read_text())["pluginReports"] == []


def test_the_check_finds_a_defect(tmp_path: Path) -> None:
    done = synthesize(tmp_path, "NoSuchProperty", "1")
    assert done.returncode != 0
    [report] = json.loads((tmp_path / "validation-report.json").read_text())["pluginReports"]
    assert {violation["ruleName"] for violation in report["violations"]} == {"F3002"}
