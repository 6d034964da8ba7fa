"""The app as a process: what `cdk synth` runs, with no credentials, no account and no network."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[1]


ELSEWHERE = "arn:aws:kinesis:us-west-2:123456789012:stream/theirs"
FORWARDER = """
region = "eu-west-1"
[role]
source_ids = ["abc"]
[forwarder]
domain_name = "events.example.com"
certificate_arn = "arn:aws:acm:eu-west-1:123456789012:certificate/0a1b2c3d-4e5f-6789-0a1b-2c3d4e5f6789"
sources_secret = "headgate/mine/sources"
source_ids = ["abc"]
"""


def run_app(outdir: Path, **context: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, ROOT / "app.py"],
        env={
            # Neither Node on PATH nor AWS's variables: the app brings what it needs, and needs no account.
            "PATH": os.environ["PATH"].replace(str(Path(sys.executable).parent), ""),
            "HOME": os.environ["HOME"],
            "AWS_EC2_METADATA_DISABLED": "true",
            "CDK_VALIDATION": "false",
            "CDK_CONTEXT_JSON": json.dumps(context),
            "CDK_OUTDIR": str(outdir),
        },
        cwd=outdir,
        capture_output=True,
        text=True,
    )


def template(outdir: Path, name: str) -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads((outdir / f"headgate-{name}-stream.template.json").read_text())
    return loaded


@pytest.mark.parametrize("name", sorted(path.stem for path in (ROOT / "environments").glob("*.toml")))
def test_every_environment_synthesizes_from_anywhere(tmp_path: Path, name: str) -> None:
    done = run_app(tmp_path, env=name)
    assert (done.returncode, done.stderr) == (0, "")  # so no end-of-life banner of Node's either
    document = template(tmp_path, name)
    # Beside those for users CDK makes some of its own, for the forwarder's stack to read.
    outputs = {name for name in document["Outputs"] if not name.startswith("PublishOutput")}
    assert outputs == {"RoleAddress", "StreamRegion", "StreamName"}
    # Deployable as it is: no bootstrap parameter, rule or asset.
    assert not {"Parameters", "Rules", "Conditions", "Mappings"} & set(document)


def test_an_environment_may_stand_elsewhere(tmp_path: Path) -> None:
    elsewhere = tmp_path / "mine"
    elsewhere.mkdir()
    (elsewhere / "trial.toml").write_text('region = "eu-west-1"\n[role]\nsource_ids = ["abc"]\n')
    done = run_app(tmp_path, env="trial", environments_dir=str(elsewhere))
    assert (done.returncode, done.stderr) == (0, "")
    assert template(tmp_path, "trial")["Outputs"]["StreamRegion"]["Value"] == "eu-west-1"


@pytest.mark.parametrize(
    ("context", "text", "message"),
    [
        ({}, "", "no environment is chosen; choose one with -c env=NAME (valid: mine)"),
        ({"env": "prud"}, "", "env: unknown environment 'prud' (valid: mine)"),
        (
            {"env": "mine"},
            'region = "eu-west-1"\n[role]\nsource_id = ["abc"]',
            "environment mine (mine.toml): role: unknown key 'source_id' (did you mean 'source_ids'?); ",
        ),
        (
            {"env": "mine"},
            'region = "eu-west-1"\n[role]\nsource_ids = []',
            "environment mine: source_ids: an empty list would let nobody in; give one ID or more",
        ),
        (
            {"env": "mine"},
            FORWARDER + "cpu = 300",
            "environment mine: cpu: 300 is not allowed; allowed: 256, 512, 1024,",
        ),
        (
            {"env": "mine"},
            FORWARDER + 'removal_policy = "destroy"',
            "environment mine: removal_policy: DESTROY deletes what waits in the queues with the stack",
        ),
        (
            {"env": "mine"},
            FORWARDER + "[forwarder.network]\ninternet_facing = true",
            "environment mine: allowed_cidrs: an internet-facing load balancer that nobody may reach",
        ),
        (
            {"env": "mine"},
            FORWARDER.replace("[role]", f'[existing_stream]\narn = "{ELSEWHERE}"\n[role]'),
            f"environment mine: destinations: {ELSEWHERE} cannot be reached from eu-west-1 by",
        ),
    ],
)
def test_a_mistake_is_one_line_and_no_traceback(
    tmp_path: Path, context: dict[str, str], text: str, message: str
) -> None:
    (tmp_path / "mine.toml").write_text(text)
    done = run_app(tmp_path, environments_dir=str(tmp_path), **context)
    assert done.returncode == 1
    assert done.stderr.startswith(f"headgate: {message}")
    assert done.stderr.count("\n") == 1
    assert done.stdout == ""
