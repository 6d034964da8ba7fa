"""The forwarder as a whole: what it is made of, what stays, and how it lives beside others."""

import json
from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk import aws_ecs as ecs
from aws_cdk import aws_logs as logs

from constructs_lib.forwarder import ForwarderNetwork
from constructs_lib.removal import ALLOW_DESTROY_CONTEXT
from tests.constructs_lib.forwarder.scene import FLAGS, REGION, Scene, forwarder, new_stack

KEPT = {"AWS::SQS::Queue", "AWS::Logs::LogGroup", "AWS::KMS::Key"}


def deletion_policies(scene: Scene) -> set[str]:
    return {one["DeletionPolicy"] for one in scene.resources.values() if one["Type"] in KEPT}


def test_what_waits_in_queues_and_log_stays_when_the_stack_goes(plain: Scene) -> None:
    assert deletion_policies(plain) == {"Retain"}


def test_destroying_it_takes_two_keys() -> None:
    destroy = cdk.RemovalPolicy.DESTROY
    with pytest.raises(ValueError, match="needs a second opt-in"):
        Scene(removal_policy=destroy)
    scene = Scene(new_stack(FLAGS | {ALLOW_DESTROY_CONTEXT: True}), removal_policy=destroy)
    assert deletion_policies(scene) == {"Delete"}
    balancer = scene.only("AWS::ElasticLoadBalancingV2::LoadBalancer")
    assert {"Key": "deletion_protection.enabled", "Value": "false"} in balancer["LoadBalancerAttributes"]


def test_how_long_the_log_is_kept_is_a_choice() -> None:
    scene = Scene(log_retention=logs.RetentionDays.ONE_WEEK)
    assert scene.only("AWS::Logs::LogGroup")["RetentionInDays"] == 7


def test_no_task_has_a_secret_or_a_variable(plain: Scene) -> None:
    text = json.dumps(plain.template)
    for word in ('"Environment"', '"Secrets"', "SecretString", "{{resolve:"):
        assert word not in text


def test_it_shows_what_it_is_made_of(plain: Scene) -> None:
    made = plain.forwarder
    shown = [
        made.service,
        made.cluster,
        made.task_definition,
        made.task_role,
        made.execution_role,
        made.load_balancer,
        made.listener,
        made.target_group,
        made.overflow_queue,
        made.dead_letter_queue,
        made.encryption_key,
        made.log_group,
    ]
    names = [plain.resources[name]["Type"] for name in map(plain.logical_id, shown)]
    assert names == [
        "AWS::ECS::Service",
        "AWS::ECS::Cluster",
        "AWS::ECS::TaskDefinition",
        "AWS::IAM::Role",
        "AWS::IAM::Role",
        "AWS::ElasticLoadBalancingV2::LoadBalancer",
        "AWS::ElasticLoadBalancingV2::Listener",
        "AWS::ElasticLoadBalancingV2::TargetGroup",
        "AWS::SQS::Queue",
        "AWS::SQS::Queue",
        "AWS::KMS::Key",
        "AWS::Logs::LogGroup",
    ]
    assert (made.service_name, made.min_tasks, made.max_tasks) == ("headgate", 2, 10)


def test_two_in_one_stack_share_what_they_are_given_and_else_nothing() -> None:
    stack = new_stack()
    network = ForwarderNetwork(stack, "Network")
    cluster = ecs.Cluster(stack, "Cluster", vpc=network.vpc)
    scene = Scene(stack, network=network, cluster=cluster, task_role_name="one", service_name="one")
    forwarder(stack, "Second", network=network, cluster=cluster, task_role_name="two", service_name="two")
    counts = {
        type_: len(scene.of_type(type_))
        for type_ in ("AWS::EC2::VPC", "AWS::ECS::Cluster", "AWS::ECS::Service", "AWS::SQS::Queue")
    }
    assert counts == {
        "AWS::EC2::VPC": 1,
        "AWS::ECS::Cluster": 1,
        "AWS::ECS::Service": 2,
        "AWS::SQS::Queue": 4,
    }
    tasks = scene.of_type("AWS::ECS::TaskDefinition").values()
    assert {one["ContainerDefinitions"][0]["Command"][-1] for one in tasks} == {"one", "two"}
    assert {one["TaskRoleArn"]["Fn::GetAtt"][0] for one in tasks} < set(scene.of_type("AWS::IAM::Role"))


def test_two_with_nothing_in_common_live_in_one_stack() -> None:
    scene = Scene()
    forwarder(scene.stack, "Second")
    assert len(scene.of_type("AWS::EC2::VPC")) == 2
    physical = [
        name
        for properties in (one["Properties"] for one in scene.resources.values() if "Properties" in one)
        for key in (
            "RoleName",
            "QueueName",
            "LogGroupName",
            "BucketName",
            "ClusterName",
            "ServiceName",
            "Name",
        )
        if isinstance(name := properties.get(key), str) and not name.startswith("com.amazonaws.")
    ]
    assert physical == []


def test_stacks_of_one_app_have_one_each() -> None:
    app = cdk.App(context=FLAGS)
    scenes = [Scene(cdk.Stack(app, name, env=cdk.Environment(region=REGION))) for name in ("one", "two")]
    assert len(scenes[0].resources) == len(scenes[1].resources)


def test_apps_without_feature_flags_get_the_same_resources(plain: Scene) -> None:
    def shape(value: Any) -> Any:
        """`value` with partitions, the order of sets, and what CDK then says of its own defaults left out."""
        match value:
            case {"Fn::Join": [_, parts]}:
                text = "".join(json.dumps(shape(part)) for part in parts)
                return text.replace('{"Ref": "AWS::Partition"}', "aws").replace('"', "")
            case str():
                return value.replace("${AWS::Partition}", "aws")
            case list():
                return sorted(map(shape, value), key=json.dumps)
            case dict():
                return {
                    key: shape(one)
                    for key, one in value.items()
                    if key not in ("DeploymentController", "Alarms")
                }
        return value

    bare = Scene(new_stack({}))
    assert set(bare.resources) == set(plain.resources)
    for name, resource in plain.resources.items():
        assert shape(bare.resources[name]) == shape(resource), name
