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
from stacks.forwarder import ForwarderStack
from stacks.stream import StreamStack

outdir, context, defect = Path(sys.argv[1]), json.loads(sys.argv[2]), sys.argv[3:]
app = cdk.App(context=context, outdir=str(outdir))
for file in DIRECTORY.glob("*.toml"):
    environment = load(file.stem)
    target = cdk.Environment(region=environment.region)
    stream = StreamStack(app, f"{file.stem}-stream", environment=environment, env=target)
    forwarder = ForwarderStack(
        app,
        f"{file.stem}-forwarder",
        name=file.stem,
        settings=environment.forwarder,
        event_stream=stream.event_stream,
        env=target,
    )
    if defect:
        stream.event_stream.stream.node.default_child.add_property_override(*defect)
        forwarder.forwarder.service.node.default_child.add_property_override(*defect)
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
    templates = {path.name.split(".")[0] for path in tmp_path.glob("*.template.json")}
    assert {"dev-stream", "dev-forwarder", "prod-stream", "prod-forwarder"} <= templates


def test_the_check_finds_a_defect(tmp_path: Path) -> None:
    done = synthesize(tmp_path, "NoSuchProperty", "1")
    assert done.returncode != 0
    [report] = json.loads((tmp_path / "validation-report.json").read_text())["pluginReports"]
    found = {
        (one["ruleName"], construct["constructPath"].split("/")[0])
        for one in report["violations"]
        for construct in one["violatingConstructs"]
    }
    stacks = ("dev-stream", "dev-forwarder", "prod-stream", "prod-forwarder")
    assert found == {("F3002", stack) for stack in stacks}
