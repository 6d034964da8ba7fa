"""Every prop that no type could refuse is refused in words that say what is allowed."""

import re
from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk import aws_iam as iam

from constructs_lib.forwarder import ForwarderDestination, ForwarderNetwork
from constructs_lib.forwarder.props import MEMORY_MIB
from tests.constructs_lib.forwarder.scene import ACCOUNT, ROLE_ARN, Scene, new_stack, stream


@pytest.mark.parametrize(
    ("props", "message"),
    [
        (
            {"domain_name": "https://events.example.com"},
            "domain_name: 'https://events.example.com' is not allowed; "
            "it is a name alone, as events.example.com",
        ),
        ({"domain_name": "events"}, "domain_name: 'events' is not allowed"),
        ({"domain_name": "*.example.com"}, "domain_name: '*.example.com' is not allowed"),
        ({"domain_name": "events.example.com."}, "domain_name: 'events.example.com.' is not allowed"),
        ({"domain_name": "a" * 64 + ".example.com"}, "domain_name: 'aaa"),
        (
            {"service_name": ""},
            "service_name: '' is not allowed; it must be 1 to 255 letters, digits and any of _ . / :",
        ),
        ({"service_name": "événements"}, "service_name: 'événements' is not allowed"),
        ({"service_name": "x" * 256}, "service_name: 'xxx"),
        (
            {"task_role_name": "no spaces"},
            "task_role_name: 'no spaces' is not allowed; "
            "it must be 1 to 64 letters, digits and any of _ + = , . @ -",
        ),
        ({"task_role_name": "x" * 65}, "task_role_name: 'xxx"),
        (
            {"cpu": 300},
            "cpu: 300 is not allowed; allowed: 256, 512, 1024, 2048, 4096, 8192, 16384",
        ),
        (
            {"memory_mib": 512},
            "memory_mib: 512 is not allowed; a task of 512 cpu has 1024, 2048, 3072, 4096",
        ),
        ({"memory_mib": 1_500}, "memory_mib: 1500 is not allowed"),
        (
            {"cpu": 256, "memory_mib": 1_536},
            "memory_mib: 1536 is not allowed; a task of 256 cpu has 512, 1024, 2048",
        ),
        (
            {"cpu": 8_192, "memory_mib": 17_408},
            "memory_mib: 17408 is not allowed; a task of 8192 cpu has 16384,",
        ),
        ({"cpu": 16_384, "memory_mib": 36_864}, "memory_mib: 36864 is not allowed"),
        (
            {"min_tasks": 0},
            "min_tasks: 0 is not allowed; it must be a whole number, from 1 to 5,000",
        ),
        (
            {"min_tasks": 3, "max_tasks": 2},
            "max_tasks: 2 is not allowed; it must be a whole number, from 3 to 5,000",
        ),
        ({"max_tasks": 5_001}, "max_tasks: 5001 is not allowed"),
        (
            {"cpu_target_percent": 95},
            "cpu_target_percent: 95 is not allowed; it must be a whole number, from 10 to 90",
        ),
        (
            {"requests_per_task": 0},
            "requests_per_task: 0 is not allowed; it must be a whole number, 1 or more",
        ),
        (
            {"destinations": []},
            "destinations: an empty list lets the forwarder deliver nowhere; give one or more",
        ),
        (
            {"removal_policy": cdk.RemovalPolicy.SNAPSHOT},
            "removal_policy: SNAPSHOT is not for a forwarder; allowed: RETAIN, DESTROY",
        ),
        (
            {"removal_policy": cdk.RemovalPolicy.DESTROY},
            "removal_policy: DESTROY deletes what waits in the queues with the stack, so it needs a second "
            'opt-in: set the context key "headgate:allow-destroy" to true, or keep RemovalPolicy.RETAIN',
        ),
    ],
)
def test_a_prop_out_of_its_range_is_one_line_that_says_what_is_allowed(
    props: dict[str, Any], message: str
) -> None:
    with pytest.raises(ValueError, match=rf"^{re.escape(message)}") as raised:
        Scene(**props)
    assert "\n" not in str(raised.value)


def test_a_role_has_a_name_or_is_there_already() -> None:
    stack = new_stack()
    role = iam.Role.from_role_arn(stack, "Task", f"arn:aws:iam::{ACCOUNT}:role/task")
    with pytest.raises(
        ValueError,
        match=r"^task_role_name and task_role cannot be given together: a role has its name; give one$",
    ):
        Scene(stack, task_role=role, task_role_name="forwarder")


@pytest.mark.parametrize("name", ["events.example.com", "e.example.xn--p1ai", "a-1.b.co.uk", "x.io"])
def test_a_name_of_dns_is_a_domain_name(name: str) -> None:
    scene = Scene(domain_name=name)
    assert scene.command["--public-url"] == f"https://{name}"


@pytest.mark.parametrize("cpu", MEMORY_MIB)
def test_the_least_and_the_most_memory_of_each_size_are_accepted(cpu: int) -> None:
    for memory_mib in (MEMORY_MIB[cpu][0], MEMORY_MIB[cpu][-1]):
        Scene(cpu=cpu, memory_mib=memory_mib)


THERE = [f"arn:aws:kinesis:eu-west-1:{ACCOUNT}:stream/{name}" for name in ("events", "clicks")]


def elsewhere(scope: cdk.Stack) -> list[ForwarderDestination]:
    return [ForwarderDestination(stream=stream(scope, arn), role_arn=ROLE_ARN) for arn in THERE]


def test_private_delivery_names_the_streams_of_other_regions() -> None:
    stack = new_stack()
    here = ForwarderDestination(stream=stream(stack), role_arn=ROLE_ARN)
    with pytest.raises(ValueError, match=r"^destinations: ") as raised:
        Scene(stack, destinations=[here, *elsewhere(stack)])
    assert str(raised.value) == (
        f"destinations: {THERE[0]}, {THERE[1]} cannot be reached from us-west-2 by private delivery, whose "
        "endpoints are of one region; make the network with private_delivery=False, which has NAT gateways, "
        "or run a forwarder in that region"
    )


def test_with_nat_gateways_other_regions_are_reached() -> None:
    stack = new_stack()
    network = ForwarderNetwork(stack, "Network", private_delivery=False)
    scene = Scene(stack, network=network, destinations=elsewhere(stack))
    assert scene.only("AWS::IAM::ManagedPolicy")["PolicyDocument"]["Statement"][0]["Resource"] == ROLE_ARN


def test_what_only_the_deployment_knows_passes() -> None:
    name = cdk.Fn.import_value("name")
    scene = Scene(domain_name=name, service_name=name, task_role_name=name)
    assert scene.command["--service-name"] == {"Fn::ImportValue": "name"}
