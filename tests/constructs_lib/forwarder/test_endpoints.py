"""The VPC endpoints: each open for what the forwarders do, and for that alone."""

from typing import Any

import pytest
from aws_cdk import aws_certificatemanager as acm
from aws_cdk.assertions import Template

from constructs_lib.forwarder import ForwarderDestination, ForwarderNetwork
from constructs_lib.forwarder.settings_table import SettingsTable
from tests.constructs_lib.forwarder.scene import (
    REGION,
    ROLE_ARN,
    STREAM_ARN,
    Scene,
    forwarder,
    new_stack,
    stream,
)

ENDPOINT = "AWS::EC2::VPCEndpoint"


def service(properties: dict[str, Any]) -> str:
    """`kinesis-streams` of `com.amazonaws.us-west-2.kinesis-streams`."""
    name = properties["ServiceName"]
    text = (
        name
        if isinstance(name, str)
        else "".join(part for part in name["Fn::Join"][1] if part != {"Ref": "AWS::Region"})
    )
    return text.removeprefix("com.amazonaws.").removeprefix(REGION).lstrip(".")


def endpoints(scene: Scene) -> dict[str, dict[str, Any]]:
    return {service(one): one for one in scene.of_type(ENDPOINT).values()}


def statements(scene: Scene, name: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = endpoints(scene)[name]["PolicyDocument"]["Statement"]
    return found


def arn_of(scene: Scene, construct: Any) -> dict[str, list[str]]:
    return {"Fn::GetAtt": [scene.logical_id(construct), "Arn"]}


def test_there_is_one_for_all_that_a_task_calls_and_ecs_fetches(plain: Scene) -> None:
    kinds = {name: one["VpcEndpointType"] for name, one in endpoints(plain).items()}
    interfaces = ("kinesis-streams", "sts", "sqs", "secretsmanager", "logs", "ecr.api", "ecr.dkr")
    assert kinds == dict.fromkeys(interfaces, "Interface") | dict.fromkeys(("s3", "dynamodb"), "Gateway")


def test_the_services_own_names_lead_to_them(plain: Scene) -> None:
    for one in endpoints(plain).values():
        if one["VpcEndpointType"] == "Interface":
            assert one["PrivateDnsEnabled"] is True
            assert len(one["SubnetIds"]) == 2


def test_the_gateways_are_on_the_tasks_routes(plain: Scene) -> None:
    tables = set(plain.of_type("AWS::EC2::RouteTable"))
    for name in ("s3", "dynamodb"):
        assert {one["Ref"] for one in endpoints(plain)[name]["RouteTableIds"]} == tables


@pytest.mark.parametrize(
    ("name", "actions", "who", "what"),
    [
        (
            "kinesis-streams",
            [
                "kinesis:DescribeStreamSummary",
                "kinesis:ListShards",
                "kinesis:PutRecord",
                "kinesis:PutRecords",
            ],
            ROLE_ARN,
            STREAM_ARN,
        ),
        ("sts", "sts:AssumeRole", "task_role", ROLE_ARN),
        (
            "sqs",
            [
                "sqs:ChangeMessageVisibility",
                "sqs:DeleteMessage",
                "sqs:GetQueueAttributes",
                "sqs:ReceiveMessage",
                "sqs:SendMessage",
            ],
            "task_role",
            ["dead_letter_queue", "overflow_queue"],
        ),
        ("logs", ["logs:CreateLogStream", "logs:PutLogEvents"], "execution_role", "log_group"),
    ],
)
def test_each_names_who_may_do_what_through_it(
    plain: Scene, name: str, actions: list[str], who: str, what: str | list[str]
) -> None:
    def arn(name: str) -> Any:
        return name if name.startswith("arn:") else arn_of(plain, getattr(plain.forwarder, name))

    [statement] = statements(plain, name)
    assert statement["Action"] == actions
    assert statement["Condition"] == {"ArnEquals": {"aws:PrincipalArn": [arn(who)]}}
    assert statement["Resource"] == (arn(what) if isinstance(what, str) else list(map(arn, what)))


def test_images_come_out_of_registries_and_nothing_goes_in(plain: Scene) -> None:
    for name in ("ecr.api", "ecr.dkr"):
        [statement] = statements(plain, name)
        assert not [action for action in statement["Action"] if "Put" in action or "Upload" in action]
        assert list(statement["Condition"]["ArnEquals"]) == ["aws:PrincipalArn"]


def test_of_s3_only_ecr_s_own_layers_are_reached(plain: Scene) -> None:
    [statement] = statements(plain, "s3")
    assert statement["Action"] == "s3:GetObject"
    assert statement["Resource"]["Fn::Join"][1][-1] == f":s3:::prod-{REGION}-starport-layer-bucket/*"


def test_of_dynamodb_only_this_account_s_tables_are_read(plain: Scene) -> None:
    [statement] = statements(plain, "dynamodb")
    assert statement["Action"] == [
        "dynamodb:BatchGetItem",
        "dynamodb:GetItem",
        "dynamodb:Query",
        "dynamodb:Scan",
    ]
    assert statement["Condition"] == {"StringEquals": {"aws:PrincipalAccount": {"Ref": "AWS::AccountId"}}}


def test_settings_in_a_table_need_the_endpoint_of_kms_and_none_of_secrets() -> None:
    stack = new_stack()
    table = SettingsTable(stack, "Settings")
    scene = Scene(stack, sources=table)
    assert "secretsmanager" not in endpoints(scene)
    [statement] = statements(scene, "kms")
    assert statement["Action"] == "kms:Decrypt"
    assert statement["Resource"] == arn_of(scene, table.encryption_key)
    assert statement["Condition"] == {
        "ArnEquals": {"aws:PrincipalArn": [arn_of(scene, scene.forwarder.task_role)]}
    }


def test_nothing_is_open_before_a_forwarder_is_there() -> None:
    stack = new_stack()
    ForwarderNetwork(stack, "Network")
    template = Template.from_stack(stack)
    template.resource_count_is(ENDPOINT, 8)  # where settings are a forwarder has to say
    [group] = template.find_resources("AWS::EC2::SecurityGroup").values()
    assert "SecurityGroupIngress" not in group["Properties"]
    template.resource_count_is("AWS::EC2::SecurityGroupIngress", 0)


def test_a_second_forwarder_adds_its_own_and_takes_nothing_away() -> None:
    stack = new_stack()
    network = ForwarderNetwork(stack, "Network")
    first = Scene(stack, network=network)
    other = f"{ROLE_ARN}-2"
    second = forwarder(
        stack,
        "Second",
        network=network,
        destinations=[ForwarderDestination(stream=stream(stack, f"{STREAM_ARN}-2"), role_arn=other)],
        certificate=acm.Certificate.from_certificate_arn(stack, "C", "arn:aws:acm:us-west-2:1:certificate/c"),
    )
    assert {
        one["Condition"]["ArnEquals"]["aws:PrincipalArn"][0]: one["Resource"]
        for one in statements(first, "kinesis-streams")
    } == {ROLE_ARN: STREAM_ARN, other: f"{STREAM_ARN}-2"}
    [_, of_second] = statements(first, "sqs")
    assert arn_of(first, second.overflow_queue) in of_second["Resource"]
    assert arn_of(first, first.forwarder.overflow_queue) not in of_second["Resource"]
