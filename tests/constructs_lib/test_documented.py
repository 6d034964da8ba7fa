"""docs/constructs.md is true: its code runs, and its tables name every prop."""

import inspect
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk.assertions import Template

from constructs_lib import DeliveryPolicy, DestinationRole, EventStream
from constructs_lib.audiences import AudienceMembers, AudienceRunner, AudienceSync
from constructs_lib.dashboard import AlarmThresholds, EventDashboard
from constructs_lib.forwarder import (
    Forwarder,
    ForwarderDestination,
    ForwarderNetwork,
    forwarder_principal,
)
from constructs_lib.forwarder.settings_table import SettingsTable

DOCS = (Path(__file__).parents[2] / "docs/constructs.md").read_text()


def test_the_code_runs(stack: cdk.Stack) -> None:
    names: dict[str, Any] = {"stack": stack}
    blocks = re.findall(r"```python\n(.*?)```", DOCS, re.DOTALL)
    for block in blocks:
        exec(block, names)
    template = Template.from_stack(stack)
    template.resource_count_is("AWS::Kinesis::Stream", 2)
    of_streams = [*["Writer", "Both", "Secret", "Inside"], *["Many"] * 3]
    of_forwarders = [*["Delivery", "Bound", "ForTheirForwarder"], *["TaskRole", "ExecutionRole"] * 2]
    of_audiences = ["ToCall", "TaskRole", "SchedulerRole"]
    template.resource_count_is("AWS::IAM::Role", len(of_streams + of_forwarders + of_audiences))
    template.resource_count_is("AWS::Scheduler::Schedule", 1)
    template.resource_count_is("AWS::ECS::Service", 2)
    template.resource_count_is("AWS::CloudWatch::Dashboard", 1)
    assert names["sized"].shard_count == 5


def parameters(of: Callable[..., Any]) -> dict[str, inspect.Parameter]:
    called = of.__init__ if isinstance(of, type) else of  # type: ignore[misc]
    return {name: one for name, one in inspect.signature(called).parameters.items() if name != "self"}


@pytest.mark.parametrize(
    "named",
    [
        EventStream,
        DestinationRole,
        Forwarder,
        SettingsTable,
        ForwarderNetwork,
        ForwarderDestination,
        forwarder_principal,
        AudienceRunner,
        AudienceSync,
        AudienceMembers,
        EventDashboard,
    ],
)
def test_the_tables_name_every_prop_and_no_other(named: Callable[..., Any]) -> None:
    section = DOCS.split(f"\n## {named.__name__}\n")[1].split("\n## ")[0]
    props = {name for name, one in parameters(named).items() if one.kind is inspect.Parameter.KEYWORD_ONLY}
    assert set(re.findall(r"^\| `(\w+)` \|", section, re.MULTILINE)) == props


@pytest.mark.parametrize(
    "named",
    [
        EventStream,
        DestinationRole,
        DeliveryPolicy,
        Forwarder,
        SettingsTable,
        ForwarderNetwork,
        ForwarderDestination,
        forwarder_principal,
        AudienceRunner,
        AudienceSync,
        AudienceMembers,
        EventDashboard,
        AlarmThresholds,
    ],
)
def test_the_docstrings_describe_every_prop(named: Callable[..., Any]) -> None:
    text = inspect.getdoc(named) or ""
    described = set(re.findall(r"^(?: {4}| {8})(\w+): ", text, re.MULTILINE))
    assert set(parameters(named)) <= described
