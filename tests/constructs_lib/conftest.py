"""A stack to try constructs in, under the flags of cdk.json, and its template as CloudFormation gets it."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk.assertions import Template

FLAGS = json.loads((Path(__file__).parents[2] / "cdk.json").read_text())["context"]


@pytest.fixture
def stack() -> cdk.Stack:
    return cdk.Stack(cdk.App(context=FLAGS), "Test", env=cdk.Environment(region="us-west-2"))


@pytest.fixture
def resources(stack: cdk.Stack) -> Callable[[str], list[dict[str, Any]]]:
    """The properties of all resources of one type in the stack."""

    def of_type(type_: str) -> list[dict[str, Any]]:
        found = Template.from_stack(stack).find_resources(type_)
        return [resource.get("Properties", {}) for resource in found.values()]

    return of_type
