"""The app's own StreamStack, synthesized and deployed as it is."""

import json
import os
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from demo.embedded_aws import ROOT, EmbeddedAws
from demo.processes import DemoError, run

_ENVIRONMENT = """\
region = "{region}"
allow_destroy = true

[stream]
name = "{stream_name}"
shard_count = 2
removal_policy = "destroy"

[role]
source_ids = ["{source_id}"]
principals = ["{trusted_account}"]
"""
_OTHER_STREAM = """
[[role.other_streams]]
arn = "{arn}"
"""


@dataclass(frozen=True)
class StreamStackOutputs:
    """What a user pastes into the destination's settings."""

    role_address: str
    stream_region: str
    stream_name: str


def synthesize(
    directory: Path,
    *,
    region: str,
    stream_name: str,
    source_id: str,
    trusted_account: str,
    other_streams: Sequence[str] = (),
) -> Path:
    """Run `app.py` for an environment of its own, and return the template of its StreamStack.

    Args:
        directory: an existing directory for what is made.
        region: the stream's.
        stream_name: its name.
        source_id: what the role accepts as External ID.
        trusted_account: the account whose users may assume the role.
        other_streams: ARNs of more streams that the role may write to.

    Raises:
        DemoError: it failed; with its last line.
    """
    environments = directory / "environments"
    environments.mkdir()
    (environments / "demo.toml").write_text(
        _ENVIRONMENT.format(
            region=region, stream_name=stream_name, source_id=source_id, trusted_account=trusted_account
        )
        + "".join(_OTHER_STREAM.format(arn=arn) for arn in other_streams),
        encoding="utf-8",
    )
    output = directory / "cdk.out"
    run(
        "app.py",
        [sys.executable, ROOT / "app.py"],
        environment=dict(os.environ)
        | {
            "CDK_OUTDIR": str(output),
            "CDK_CONTEXT_JSON": json.dumps({"env": "demo", "environments_dir": str(environments)}),
            # `make synth` validates; here it would only cost seconds.
            "CDK_VALIDATION": "false",
            "TMPDIR": str(directory),
        },
        log=directory / "synth.log",
        seconds=120,
    )
    return output / "headgate-demo-stream.template.json"


def deploy(aws: EmbeddedAws, account_id: str, region: str, template: Path) -> StreamStackOutputs:
    """Create a stack of the template through CloudFormation and return its outputs.

    Raises:
        DemoError: CloudFormation did not complete it; with the reason that it gives.
    """
    name = template.name.split(".")[0]
    cloudformation = aws.client("cloudformation", aws.root(account_id), region)
    cloudformation.create_stack(
        StackName=name,
        TemplateBody=template.read_text(encoding="utf-8"),
        Capabilities=["CAPABILITY_NAMED_IAM"],
    )
    deadline = time.monotonic() + 60
    while (stack := cloudformation.describe_stacks(StackName=name)["Stacks"][0])["StackStatus"].endswith(
        "_IN_PROGRESS"
    ):
        if time.monotonic() > deadline:
            raise DemoError(f"CloudFormation: {name} is still {stack['StackStatus']} after 60 s")
        time.sleep(0.1)
    if stack["StackStatus"] != "CREATE_COMPLETE":
        reason = stack.get("StackStatusReason", "no reason given")
        raise DemoError(f"CloudFormation: {name}: {stack['StackStatus']}: {reason}")
    outputs = {output["OutputKey"]: output["OutputValue"] for output in stack["Outputs"]}
    return StreamStackOutputs(outputs["RoleAddress"], outputs["StreamRegion"], outputs["StreamName"])
