"""What audiences share: where they run, where failures are told, and what others let them do."""

import json
from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk import aws_secretsmanager as secretsmanager
from aws_cdk.assertions import Template

from constructs_lib.audiences import AudienceMembers
from constructs_lib.forwarder import ForwarderNetwork
from tests.constructs_lib.audiences.scene import TOPIC_ARN, Beside, runner, sync
from tests.constructs_lib.forwarder.scene import FLAGS, REGION, ROLE_ARN, forwarder, new_stack


def own(scene: Beside) -> dict[str, int]:
    """How many resources of each type are the audiences' own."""
    types = [one["Type"] for name, one in scene.resources.items() if name.startswith("Audiences")]
    return {each: types.count(each) for each in types}


def test_beside_a_forwarder_it_makes_no_network_cluster_log_or_execution_role(beside: Beside) -> None:
    assert own(beside) == {
        "AWS::KMS::Key": 1,
        "AWS::S3::Bucket": 1,
        "AWS::S3::BucketPolicy": 1,
        "AWS::EC2::SecurityGroup": 1,
        "AWS::EC2::SecurityGroupIngress": 1,
        "AWS::IAM::Role": 2,
        "AWS::IAM::ManagedPolicy": 2,
        "AWS::Scheduler::ScheduleGroup": 1,
        "AWS::SQS::Queue": 1,
        "AWS::SQS::QueuePolicy": 1,
        "AWS::Events::Rule": 1,
        "AWS::CloudWatch::Alarm": 3,
        "AWS::ECS::TaskDefinition": 2,
        "AWS::Scheduler::Schedule": 2,
    }


def test_nobody_can_reach_a_task_and_it_reaches_aws_alone(beside: Beside) -> None:
    group = beside.properties(beside.runner.security_group)
    assert "SecurityGroupIngress" not in group
    [out] = group["SecurityGroupEgress"]
    assert (out["IpProtocol"], out["FromPort"], out["ToPort"]) == ("tcp", 443, 443)
    [into] = [
        each
        for name, each in beside.of_type("AWS::EC2::SecurityGroupIngress").items()
        if name.startswith("Audiences")
    ]
    assert into["SourceSecurityGroupId"]["Fn::GetAtt"][0] == beside.logical_id(beside.runner.security_group)


def test_a_task_that_failed_or_never_came_up_is_told(beside: Beside) -> None:
    [rule] = beside.of_type("AWS::Events::Rule").values()
    detail = rule["EventPattern"]["detail"]
    assert rule["EventPattern"]["detail-type"] == ["ECS Task State Change"]
    schedules = [beside.schedule(each) for each in (beside.audience, beside.trait)]
    assert {each["Target"]["EcsParameters"]["Group"] for each in schedules} == set(detail["group"])
    assert detail["clusterArn"] == [schedules[0]["Target"]["Arn"]]
    queue = beside.logical_id(beside.runner.failure_queue)
    assert [each["Arn"] for each in rule["Targets"]] == [{"Fn::GetAtt": [queue, "Arn"]}]

    # As ECS tells of tasks: one that did its work, one that failed, one that was killed, and one whose image
    # could not be fetched, which has no exit code.
    assert [
        matches(detail, stop_code, exit_code)
        for stop_code, exit_code in (
            ("EssentialContainerExited", 0),
            ("EssentialContainerExited", 1),
            ("EssentialContainerExited", 137),
            ("TaskFailedToStart", None),
            ("UserInitiated", 0),
        )
    ] == [False, True, True, True, True]


def matches(detail: dict[str, Any], stop_code: str, exit_code: int | None) -> bool:
    """Whether the alternatives of the pattern match; EventBridge matches no pattern on what is not there."""
    containers, stopped = detail["$or"]
    [good], [usual] = containers["containers"]["exitCode"], stopped["stopCode"]
    failed = exit_code is not None and exit_code != good["anything-but"]
    return failed or stop_code != usual["anything-but"]


def test_any_failure_is_an_alarm(beside: Beside) -> None:
    alarm = beside.properties(beside.runner.failure_alarm)
    queue = beside.logical_id(beside.runner.failure_queue)
    assert alarm["Dimensions"] == [{"Name": "QueueName", "Value": {"Fn::GetAtt": [queue, "QueueName"]}}]
    assert (alarm["MetricName"], alarm["Statistic"], alarm["Threshold"]) == ("NumberOfMessagesSent", "Sum", 1)
    assert alarm["TreatMissingData"] == "notBreaching"
    assert alarm["AlarmActions"] == [TOPIC_ARN]


def test_the_state_is_private_versioned_and_stays(beside: Beside) -> None:
    name = beside.logical_id(beside.runner.state_bucket)
    bucket = beside.resources[name]
    assert bucket["DeletionPolicy"] == bucket["UpdateReplacePolicy"] == "Retain"
    assert bucket["Properties"]["VersioningConfiguration"] == {"Status": "Enabled"}
    assert set(bucket["Properties"]["PublicAccessBlockConfiguration"].values()) == {True}
    rules = bucket["Properties"]["LifecycleConfiguration"]["Rules"]
    expiring = [each["Prefix"] for each in rules if "ExpirationInDays" in each]
    assert expiring == ["access-logs/"]  # and nothing of the state
    assert rules[0]["NoncurrentVersionExpiration"] == {"NoncurrentDays": 30}
    [policy] = [
        each for each in beside.of_type("AWS::S3::BucketPolicy").values() if each["Bucket"] == {"Ref": name}
    ]
    assert "aws:SecureTransport" in json.dumps(policy)


def test_two_runners_beside_one_forwarder_tell_of_their_own_failures() -> None:
    stack = new_stack()
    of = forwarder(stack)
    one, other = (runner(stack, name, forwarder=of) for name in ("One", "Other"))
    assert one.task_group != other.task_group
    assert one.service_name == other.service_name == of.service_name


def test_many_audiences_of_one_bucket_widen_the_same_statements() -> None:
    stack = new_stack()
    on = runner(stack, forwarder=forwarder(stack))
    for number in range(12):
        sync(
            on,
            f"Sync{number}",
            name=f"Audience {number}",
            members=AudienceMembers(location=f"s3://exports/daily/{number:02}/*.parquet"),
        )
    policies = {
        name: each["Properties"]["PolicyDocument"]["Statement"]
        for name, each in Template.from_stack(stack).find_resources("AWS::IAM::ManagedPolicy").items()
    }
    [task] = [each for name, each in policies.items() if name.startswith("AudiencesTaskRole")]
    [scheduler] = [each for name, each in policies.items() if name.startswith("AudiencesSchedulerRole")]
    [reading] = [each for each in task if each.get("Sid") == "ReadMembers"]
    assert len(reading["Resource"]) == 12
    [listing] = [each for each in task if each["Action"] == "s3:ListBucket" and "Condition" in each]
    assert listing["Condition"]["StringLike"]["s3:prefix"] == [f"daily/{n:02}/*" for n in range(12)]
    [running] = [each for each in scheduler if each["Sid"] == "RunTasks"]
    assert len(running["Resource"]) == 12


def test_more_members_than_a_policy_has_room_for_are_refused() -> None:
    stack = new_stack()
    on = runner(stack, forwarder=forwarder(stack))

    def fill() -> None:
        for number in range(40):
            location = f"s3://exports/{'a-long-prefix-' * 20}{number}/"
            sync(on, f"Sync{number}", members=AudienceMembers(location=location))

    with pytest.raises(ValueError, match=r"the task role's policy has 6,\d\d\d characters; allowed: 6,144"):
        fill()


def test_by_itself_it_has_a_cluster_a_log_and_an_execution_role_of_its_own() -> None:
    stack = new_stack()
    on = runner(stack, network=ForwarderNetwork(stack, "Network"))
    sync(on)
    template = Template.from_stack(stack)
    template.resource_count_is("AWS::ECS::Cluster", 1)
    [log] = template.find_resources("AWS::Logs::LogGroup").values()
    assert log["Properties"]["RetentionInDays"] == 90
    assert "KmsKeyId" in log["Properties"]
    template.resource_count_is("AWS::IAM::Role", 3)
    # All that a sync calls, and ECS for it, goes through endpoints that are open for it.
    endpoints = {
        name.removeprefix("NetworkEndpoints")[:-8]: json.dumps(each["Properties"].get("PolicyDocument"))
        for name, each in template.find_resources("AWS::EC2::VPCEndpoint").items()
    }
    of = {
        each: stack.get_logical_id(role.node.default_child)  # type: ignore[arg-type]
        for each, role in (("task", on.task_role), ("execution", on.execution_role))
    }
    opened = {each: {name for name, text in endpoints.items() if of[each] in text} for each in of}
    assert opened["execution"] == {"Logs", "EcrApi", "EcrDocker"}
    assert opened["task"] == {"Sts", "SecretsManager", "S3"}
    assert ROLE_ARN in endpoints["KinesisStreams"]


def two_stacks() -> tuple[cdk.Stack, cdk.Stack]:
    app, env = cdk.App(context=FLAGS), cdk.Environment(region=REGION)
    return cdk.Stack(app, "First", env=env), cdk.Stack(app, "Elsewhere", env=env)


def test_in_another_stack_it_is_named_by_nothing_of_the_forwarder_s() -> None:
    app = cdk.App(context=FLAGS)
    first, second = (
        cdk.Stack(app, name, env=cdk.Environment(region=REGION)) for name in ("First", "Elsewhere")
    )
    of = forwarder(first)
    sync(runner(second, forwarder=of, task_role_name="events-audiences"))
    assert "Elsewhere" not in json.dumps(Template.from_stack(first).to_json()["Resources"])
    assert "Fn::GetStackOutput" in json.dumps(Template.from_stack(second).to_json())


@pytest.mark.parametrize(
    ("props", "said"),
    [
        ({}, "forwarder, network: give the forwarder beside which syncs run, or a network"),
        ({"destinations": []}, "destinations: an empty list lets calls go nowhere"),
        ({"task_role_name": "a b"}, "task_role_name: 'a b' is not allowed"),
        ({"removal_policy": cdk.RemovalPolicy.DESTROY}, "removal_policy: DESTROY deletes the log"),
    ],
)
def test_what_cannot_be_is_refused_with_one_line(props: dict[str, Any], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        runner(new_stack(), **props)


def test_endpoints_of_another_stack_are_opened_by_the_name_of_the_task_role() -> None:
    app = cdk.App(context=FLAGS)
    first, second = (
        cdk.Stack(app, name, env=cdk.Environment(region=REGION)) for name in ("First", "Elsewhere")
    )
    with pytest.raises(ValueError, match="task_role_name: the VPC endpoints are another stack's"):
        runner(second, forwarder=forwarder(first))
    with pytest.raises(ValueError, match="network: its VPC endpoints are in the stack 'First'"):
        runner(second, "ByItself", network=ForwarderNetwork(first, "Network"))


def test_a_service_name_of_its_own_is_that_of_its_metrics() -> None:
    stack = new_stack()
    on = runner(stack, forwarder=forwarder(stack), service_name="audiences")
    metric = sync(on).metric("AudienceCalls")
    assert metric.dimensions == {"Service": "audiences", "Audience": "Order completed last 30days"}
    with pytest.raises(ValueError, match="service_name: 'a b' is not allowed"):
        runner(stack, "Other", forwarder=stack.node.find_child("Forwarder"), service_name="a b")


def test_the_default_image_is_built_with_what_syncs_need() -> None:
    stack = new_stack()
    sync(runner(stack, forwarder=forwarder(stack), image=None))
    [container] = [
        each
        for definition in Template.from_stack(stack).find_resources("AWS::ECS::TaskDefinition").values()
        for each in definition["Properties"]["ContainerDefinitions"]
        if each["Name"] == "Audience"
    ]
    assert "container-assets" in json.dumps(container["Image"])


def test_settings_with_a_key_of_their_own_can_be_read() -> None:
    stack = new_stack()
    secret = secretsmanager.Secret.from_secret_attributes(
        stack,
        "Theirs",
        secret_complete_arn=f"arn:aws:secretsmanager:{REGION}:123456789012:secret:theirs-AbCdEf",
        encryption_key=cdk.aws_kms.Key.from_key_arn(
            stack, "TheirKey", f"arn:aws:kms:{REGION}:123456789012:key/theirs"
        ),
    )
    on = runner(stack, forwarder=forwarder(stack), sources=secret)
    assert "DecryptSettings" in json.dumps(stack.resolve(on._task.policy.document.to_json()))
