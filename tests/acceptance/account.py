"""What an AWS account holds of what this app makes, as data."""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

Client = Callable[[str], Any]


@dataclass(frozen=True)
class Role:
    """A role: whom it trusts and what it may do."""

    trust: list[dict[str, Any]]
    statements: list[dict[str, Any]]


@dataclass(frozen=True)
class Stack:
    """A stack: its outputs, the physical ID of each resource, and all that happened, oldest first."""

    outputs: dict[str, str]
    resources: dict[str, str]
    events: list[tuple[str, str]]


@dataclass(frozen=True)
class Account:
    """What there is at one moment, by name, URL or ID."""

    stacks: dict[str, Stack]
    streams: dict[str, dict[str, Any]]
    roles: dict[str, Role]
    queues: dict[str, dict[str, str]]
    services: list[dict[str, Any]]
    task_definitions: list[dict[str, Any]]
    load_balancers: list[dict[str, Any]]
    listeners: list[dict[str, Any]]
    target_groups: list[dict[str, Any]]
    endpoints: dict[str, dict[str, Any]]
    log_groups: dict[str, dict[str, Any]]
    keys: dict[str, str]
    buckets: dict[str, list[dict[str, Any]]]
    secrets: dict[str, tuple[str, str]]


def look(client: Client) -> Account:
    """Ask each service what it has; of `cdk bootstrap` only the stack is told."""
    balancing = client("elbv2")
    balancers = balancing.describe_load_balancers()["LoadBalancers"]
    groups = balancing.describe_target_groups()["TargetGroups"]
    return Account(
        stacks=dict(_stacks(client("cloudformation"))),
        streams=dict(_streams(client("kinesis"))),
        roles=dict(_roles(client("iam"))),
        queues=dict(_queues(client("sqs"))),
        services=list(_services(client("ecs"))),
        task_definitions=list(_task_definitions(client("ecs"))),
        load_balancers=[
            one
            | _pairs(
                balancing.describe_load_balancer_attributes(LoadBalancerArn=one["LoadBalancerArn"])[
                    "Attributes"
                ]
            )
            for one in balancers
        ],
        listeners=[
            listener
            for one in balancers
            for listener in balancing.describe_listeners(LoadBalancerArn=one["LoadBalancerArn"])["Listeners"]
        ],
        target_groups=[
            one
            | _pairs(
                balancing.describe_target_group_attributes(TargetGroupArn=one["TargetGroupArn"])["Attributes"]
            )
            for one in groups
        ],
        endpoints={one["ServiceName"]: one for one in client("ec2").describe_vpc_endpoints()["VpcEndpoints"]},
        log_groups={one["logGroupName"]: one for one in client("logs").describe_log_groups()["logGroups"]},
        keys=dict(_keys(client("kms"))),
        buckets=dict(_buckets(client("s3"))),
        secrets=dict(_secrets(client("secretsmanager"))),
    )


def _stacks(cloudformation: Any) -> Iterator[tuple[str, Stack]]:
    for one in cloudformation.describe_stacks()["Stacks"]:
        name = one["StackName"]
        resources = cloudformation.get_paginator("list_stack_resources").paginate(StackName=name)
        events = cloudformation.get_paginator("describe_stack_events").paginate(StackName=name)
        newest_first = [
            (event["LogicalResourceId"], event["ResourceStatus"])
            for page in events
            for event in page["StackEvents"]
        ]
        yield (
            name,
            Stack(
                outputs={each["OutputKey"]: each["OutputValue"] for each in one.get("Outputs", ())},
                resources={
                    each["LogicalResourceId"]: each["PhysicalResourceId"]
                    for page in resources
                    for each in page["StackResourceSummaries"]
                },
                events=newest_first[::-1],
            ),
        )


def _streams(kinesis: Any) -> Iterator[tuple[str, dict[str, Any]]]:
    for name in kinesis.list_streams()["StreamNames"]:
        yield name, kinesis.describe_stream_summary(StreamName=name)["StreamDescriptionSummary"]


def _roles(iam: Any) -> Iterator[tuple[str, Role]]:
    for one in iam.list_roles()["Roles"]:
        name = one["RoleName"]
        if name.startswith("cdk-"):
            continue
        attached = iam.list_attached_role_policies(RoleName=name)["AttachedPolicies"]
        documents = [
            iam.get_role_policy(RoleName=name, PolicyName=each)["PolicyDocument"]
            for each in iam.list_role_policies(RoleName=name)["PolicyNames"]
        ]
        for each in attached:
            version = iam.get_policy(PolicyArn=each["PolicyArn"])["Policy"]["DefaultVersionId"]
            found = iam.get_policy_version(PolicyArn=each["PolicyArn"], VersionId=version)
            documents.append(found["PolicyVersion"]["Document"])
        statements = [statement for document in documents for statement in document["Statement"]]
        yield name, Role(one["AssumeRolePolicyDocument"]["Statement"], statements)


def _queues(sqs: Any) -> Iterator[tuple[str, dict[str, str]]]:
    for url in sqs.list_queues().get("QueueUrls", ()):
        yield url, sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]


def _services(ecs: Any) -> Iterator[dict[str, Any]]:
    for cluster in ecs.list_clusters()["clusterArns"]:
        names = ecs.list_services(cluster=cluster)["serviceArns"]
        yield from ecs.describe_services(cluster=cluster, services=names)["services"] if names else ()


def _task_definitions(ecs: Any) -> Iterator[dict[str, Any]]:
    for arn in ecs.list_task_definitions(status="ACTIVE")["taskDefinitionArns"]:
        yield ecs.describe_task_definition(taskDefinition=arn)["taskDefinition"]


def _keys(kms: Any) -> Iterator[tuple[str, str]]:
    for one in kms.list_keys()["Keys"]:
        yield one["KeyId"], kms.describe_key(KeyId=one["KeyId"])["KeyMetadata"]["KeyState"]


def _buckets(s3: Any) -> Iterator[tuple[str, list[dict[str, Any]]]]:
    for one in s3.list_buckets()["Buckets"]:
        if not one["Name"].startswith("cdk-"):
            yield one["Name"], json.loads(s3.get_bucket_policy(Bucket=one["Name"])["Policy"])["Statement"]


def _secrets(secretsmanager: Any) -> Iterator[tuple[str, tuple[str, str]]]:
    for one in secretsmanager.list_secrets()["SecretList"]:
        value = secretsmanager.get_secret_value(SecretId=one["Name"])
        yield one["Name"], (value["SecretString"], value["VersionId"])


def _pairs(attributes: list[dict[str, str]]) -> dict[str, str]:
    return {one["Key"]: one["Value"] for one in attributes}
