"""A forwarder in a stack, with the least that it takes, and what CloudFormation gets of it."""

import json
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import Any

import aws_cdk as cdk
from aws_cdk import aws_certificatemanager as acm
from aws_cdk import aws_ecs as ecs
from aws_cdk import aws_secretsmanager as secretsmanager
from aws_cdk.assertions import Template
from constructs import Construct

from constructs_lib import EventStream, EventStreamBase
from constructs_lib.forwarder import Forwarder, ForwarderDestination

FLAGS: dict[str, Any] = json.loads((Path(__file__).parents[3] / "cdk.json").read_text())["context"]
ACCOUNT, REGION = "123456789012", "us-west-2"
STREAM_ARN = f"arn:aws:kinesis:{REGION}:{ACCOUNT}:stream/events"
ROLE_ARN = f"arn:aws:iam::{ACCOUNT}:role/events-writer"
CERTIFICATE_ARN = f"arn:aws:acm:{REGION}:{ACCOUNT}:certificate/0a1b2c3d-4e5f-6789-0a1b-2c3d4e5f6789"


def new_stack(flags: Mapping[str, Any] = FLAGS, region: str | None = REGION) -> cdk.Stack:
    """A stack in an app of its own."""
    return cdk.Stack(cdk.App(context=dict(flags)), "Test", env=cdk.Environment(region=region))


def stream(scope: Construct, arn: str = STREAM_ARN) -> EventStreamBase:
    """A stream that is there already."""
    return EventStream.from_stream_attributes(scope, f"Stream{len(scope.node.children)}", stream_arn=arn)


def forwarder(scope: Construct, construct_id: str = "Forwarder", /, **props: Any) -> Forwarder:
    """A forwarder with the least that it takes, plus `props`; its image comes from a registry."""
    number = len(scope.node.children)
    required: dict[str, Any] = {
        "sources": lambda: secretsmanager.Secret.from_secret_name_v2(
            scope, f"Sources{number}", "headgate/sources"
        ),
        "destinations": lambda: [ForwarderDestination(stream=stream(scope), role_arn=ROLE_ARN)],
        "domain_name": lambda: "events.example.com",
        "certificate": lambda: acm.Certificate.from_certificate_arn(
            scope, f"Certificate{number}", CERTIFICATE_ARN
        ),
        "image": lambda: ecs.ContainerImage.from_registry("registry.example.com/headgate"),
    }
    given = {name: make() for name, make in required.items() if name not in props}
    return Forwarder(scope, construct_id, **given, **props)


class Scene:
    """A forwarder in a stack of its own; the template is made when it is first looked at."""

    def __init__(self, stack: cdk.Stack | None = None, /, **props: Any) -> None:
        self.stack = stack or new_stack()
        self.forwarder = forwarder(self.stack, **props)

    @cached_property
    def template(self) -> dict[str, Any]:
        found: dict[str, Any] = Template.from_stack(self.stack).to_json()
        return found

    @property
    def resources(self) -> dict[str, dict[str, Any]]:
        found: dict[str, dict[str, Any]] = self.template["Resources"]
        return found

    def of_type(self, type_: str) -> dict[str, dict[str, Any]]:
        """The properties of all resources of a type, by logical ID."""
        return {
            name: one.get("Properties", {}) for name, one in self.resources.items() if one["Type"] == type_
        }

    def only(self, type_: str) -> dict[str, Any]:
        """The properties of the one resource of a type."""
        [properties] = self.of_type(type_).values()
        return properties

    def logical_id(self, construct: Construct) -> str:
        resource = construct.node.default_child
        assert isinstance(resource, cdk.CfnElement)
        return self.stack.get_logical_id(resource)

    def properties(self, construct: Construct) -> dict[str, Any]:
        found: dict[str, Any] = self.resources[self.logical_id(construct)]["Properties"]
        return found

    @property
    def container(self) -> dict[str, Any]:
        [container] = self.only("AWS::ECS::TaskDefinition")["ContainerDefinitions"]
        found: dict[str, Any] = container
        return found

    @property
    def command(self) -> dict[str, Any]:
        """The options of the container's command line."""
        program, *options = self.container["Command"]
        assert program == "serve"
        return dict(zip(options[::2], options[1::2], strict=True))
