"""docs/deploy.md is true: what it has the reader write down is read, and what it names exists."""

import json
import re
import tomllib
from pathlib import Path
from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk.assertions import Template

from constructs_lib import DestinationRole, EventStream
from constructs_lib.forwarder import forwarder_principal, timing
from environments import Environment, load
from environments.loader import DIRECTORY
from headgate.cli.app import app as command_line
from headgate.settings.file_store import read_sources
from headgate.settings.strict_toml import decode
from tests.examples.synthesis import ROOT
from tests.prod_with_audiences import prod_with_audiences, stacks

DOCUMENT = (ROOT / "docs/deploy.md").read_text(encoding="utf-8")
STACKS = {
    f"headgate-{file.stem}-{kind}"
    for file in DIRECTORY.glob("*.toml")
    for kind in ("stream", "forwarder", "audiences")
}


def blocks(language: str) -> list[str]:
    found = re.findall(rf"^( *)```{language}\n(.*?)^ *```", DOCUMENT, re.DOTALL | re.MULTILINE)
    return [re.sub(rf"^{indent}", "", text, flags=re.MULTILINE) for indent, text in found]


def test_each_part_of_an_environment_is_one() -> None:
    dev = tomllib.loads((DIRECTORY / "dev.toml").read_text(encoding="utf-8"))
    [whole, abroad] = blocks("toml")
    least = 'region = "us-west-2"\n[stream]\n[role]\nsource_ids = ["8kf3Qw2LpZ"]\n'
    environment = decode(least + whole, Environment, where="deploy.md")
    assert environment.forwarder is not None
    assert environment.forwarder.sources_secret == dev["forwarder"]["sources_secret"]
    assert environment.forwarder.network is not None
    assert environment.forwarder.network.internet_facing
    environment = decode(least + whole + abroad, Environment, where="deploy.md")
    assert environment.forwarder is not None
    assert len(environment.forwarder.other_destinations) == 1


def test_the_sources_are_what_serve_reads_and_what_is_deployed(tmp_path: Path) -> None:
    [sources] = re.findall(r"cat > sources.toml <<END\n(.*?)^END$", DOCUMENT, re.DOTALL | re.MULTILINE)
    (tmp_path / "sources.toml").write_text(sources.replace("$ACCOUNT", "123456789012"), encoding="utf-8")
    [(write_key, source)] = read_sources(tmp_path / "sources.toml").items()
    [destination] = source.destinations
    dev = load("dev")
    assert dev.stream is not None
    assert (destination.region, destination.stream_name) == (dev.region, dev.stream.name)
    assert destination.role_address == "arn:aws:iam::123456789012:role/headgate-dev-delivery"
    assert f"curl -u {write_key}: " in DOCUMENT
    assert dev.forwarder is not None
    assert source.id in (dev.forwarder.source_ids or ())


def test_the_fixed_names_are_those_of_the_templates(assembly: Path) -> None:
    template = json.loads((assembly / "headgate-prod-forwarder.template.json").read_text())
    names = {each["Properties"].get("RoleName") for each in template["Resources"].values()}
    assert {"headgate-prod-delivery", "headgate-prod-forwarder"} <= names
    outputs = set(re.findall(r"OutputKey=='(\w+)'", DOCUMENT))
    assert outputs == {"LoadBalancerName", "OverflowQueue", "Log", "FailureQueue"}
    made = stacks("prod", prod_with_audiences())
    assert outputs <= template["Outputs"].keys() | made.template(made.audiences)["Outputs"].keys()


def test_each_stack_and_command_that_is_named_exists() -> None:
    code = "\n".join(blocks("console"))
    # Every command of CDK runs the app, which wants an environment.
    assert len(re.findall(r"npx cdk \w+ -c env=(?:dev|prod)", DOCUMENT)) == DOCUMENT.count("npx cdk ")
    for line in re.findall(r"cdk (?:deploy|destroy) -c env=\w+ (.+)", code):
        assert set(line.split()) <= STACKS
    registered = (*command_line.registered_commands, *command_line.registered_groups)
    commands = {command.name for command in registered}
    named = set(re.findall(r"(?:\$ |`)headgate (\w+)", DOCUMENT))
    assert {"check", "tail", "plan", "redrive", "settings"} == named <= commands


def test_the_role_of_another_account_trusts_the_forwarder() -> None:
    stack = cdk.Stack(cdk.App(), "Theirs")
    names: dict[str, Any] = {
        "stack": stack,
        "events": EventStream(stack, "Events"),
        "DestinationRole": DestinationRole,
        "forwarder_principal": forwarder_principal,
    }
    [code] = blocks("python")
    exec(code, names)
    [role] = Template.from_stack(stack).find_resources("AWS::IAM::Role").values()
    assert role["Properties"]["RoleName"] == "events-writer"
    [trusted] = role["Properties"]["AssumeRolePolicyDocument"]["Statement"]
    assert "role/headgate-prod-forwarder" in json.dumps(trusted["Condition"]["ArnEquals"])
    assert "123456789012" in json.dumps(trusted["Principal"])


@pytest.mark.parametrize(
    "told",
    [
        f"gives open requests {timing.DEREGISTRATION_DELAY_SECONDS} s to end",
        f"goes on serving for {timing.DRAIN_SECONDS} s",
        f"| + {timing.STOP_TIMEOUT_SECONDS} | serves | SIGKILL",
    ],
)
def test_the_seconds_of_a_rollout_are_those_of_the_service(told: str) -> None:
    assert told in DOCUMENT
