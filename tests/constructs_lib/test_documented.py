"""docs/constructs.md is true: its code runs, and its tables name every prop."""

import inspect
import re
from pathlib import Path
from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk.assertions import Template
from constructs import Construct

import constructs_lib
from constructs_lib import DestinationRole, EventStream

DOCS = (Path(__file__).parents[2] / "docs/constructs.md").read_text()


def test_the_code_runs(stack: cdk.Stack) -> None:
    names: dict[str, Any] = {"stack": stack}
    blocks = re.findall(r"```python\n(.*?)```", DOCS, re.DOTALL)
    for block in blocks:
        exec(block, names)
    template = Template.from_stack(stack)
    template.resource_count_is("AWS::Kinesis::Stream", 2)
    template.resource_count_is("AWS::IAM::Role", len(["Writer", "Both", "Secret", "Inside"]) + 3)
    assert names["sized"].shard_count == 5


@pytest.mark.parametrize("construct", [EventStream, DestinationRole])
def test_the_tables_name_every_prop_and_no_other(construct: type[Construct]) -> None:
    section = DOCS.split(f"\n## {construct.__name__}\n")[1].split("\n## ")[0]
    parameters = inspect.signature(construct.__init__).parameters.values()
    props = {one.name for one in parameters if one.kind is inspect.Parameter.KEYWORD_ONLY}
    assert set(re.findall(r"^\| `(\w+)` \|", section, re.MULTILINE)) == props


@pytest.mark.parametrize("construct", [EventStream, DestinationRole, constructs_lib.DeliveryPolicy])
def test_the_docstrings_describe_every_prop(construct: type[Construct]) -> None:
    described = set(re.findall(r"^        (\w+): ", inspect.getdoc(construct) or "", re.MULTILINE))
    described |= set(re.findall(r"^    (\w+): ", inspect.getdoc(construct) or "", re.MULTILINE))
    assert set(inspect.signature(construct.__init__).parameters) - {"self"} <= described
