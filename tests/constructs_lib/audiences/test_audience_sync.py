"""One audience: what its task is told, when it runs, and when it is missed."""

from typing import Any

import pytest
from typer.testing import CliRunner

from constructs_lib.audiences import AudienceMembers
from tests.constructs_lib.audiences.scene import BUYERS, TOPIC_ARN, VALUE, Beside, runner, sync
from tests.constructs_lib.forwarder.scene import forwarder, new_stack


def options(command: list[Any]) -> dict[str, Any]:
    """The options, and what CloudFormation puts together for the state."""
    found = {}
    for each in command[2:]:
        text = each if isinstance(each, str) else "".join(map(str, each["Fn::Join"][1]))
        name, _, value = text.partition("=")
        found[name] = value
    return found


def test_an_audience_s_task_is_told_what_and_where(beside: Beside) -> None:
    command = beside.command(beside.audience)
    assert command[:2] == ["audience", "sync"]
    bucket = {"Ref": beside.logical_id(beside.runner.state_bucket)}
    assert options(command) == {
        "--name": BUYERS,
        "--members": "s3://exports/buyers/",
        "--source": "8kf3Qw2LpZ",
        "--sources": "secretsmanager://headgate/sources",
        "--state": f"s3://{bucket}/audiences/",
        "--id-column": "user_id",
        "--service-name": "headgate",
    }


def test_a_trait_s_task_is_told_its_column_and_its_limits(beside: Beside) -> None:
    command = beside.command(beside.trait)
    assert command[:2] == ["trait", "sync"]
    told = options(command)
    assert "--members" not in told
    assert (told["--name"], told["--values"]) == (VALUE, "s3://exports/value.parquet")
    assert (told["--value-column"], told["--anonymous-id-column"]) == ("lifetime_value", "anonymous_id")
    assert (told["--max-records-per-second"], told["--max-removed"]) == ("500", "0.2")


def test_a_task_has_no_right_no_variable_and_one_place_to_write_to(beside: Beside) -> None:
    for each in (beside.audience, beside.trait):
        definition = beside.task(each)
        [container] = definition["ContainerDefinitions"]
        assert (container["User"], container["ReadonlyRootFilesystem"]) == ("65532:65532", True)
        assert container["LinuxParameters"]["Capabilities"] == {"Drop": ["ALL"]}
        assert not {"Environment", "Secrets", "PortMappings"} & container.keys()
        [volume] = definition["Volumes"]
        assert volume == {"Name": "scratch"}
        assert container["MountPoints"] == [
            {"ContainerPath": "/tmp", "SourceVolume": "scratch", "ReadOnly": False}
        ]
        assert definition["RuntimePlatform"]["CpuArchitecture"] == "ARM64"


def test_a_task_is_as_large_as_it_is_asked_to_be(beside: Beside) -> None:
    small, large = beside.task(beside.audience), beside.task(beside.trait)
    assert (small["Cpu"], small["Memory"], small.get("EphemeralStorage")) == ("1024", "2048", None)
    assert (large["Cpu"], large["Memory"]) == ("4096", "8192")
    assert large["EphemeralStorage"] == {"SizeInGiB": 100}


def test_the_schedule_starts_one_task_in_the_forwarder_s_cluster_and_subnets(beside: Beside) -> None:
    schedule = beside.schedule(beside.audience)
    assert (schedule["ScheduleExpression"], schedule["State"]) == ("rate(1 hour)", "ENABLED")
    assert schedule["FlexibleTimeWindow"] == {"Mode": "OFF"}
    target = schedule["Target"]
    assert target["Arn"] == {"Fn::GetAtt": [beside.logical_id(beside.forwarder.cluster), "Arn"]}
    parameters = target["EcsParameters"]
    assert parameters["TaskDefinitionArn"] == {"Ref": beside.logical_id(beside.audience.task_definition)}
    assert (parameters["TaskCount"], parameters["LaunchType"]) == (1, "FARGATE")
    place = parameters["NetworkConfiguration"]["AwsvpcConfiguration"]
    [service] = beside.of_type("AWS::ECS::Service").values()
    assert place["Subnets"] == service["NetworkConfiguration"]["AwsvpcConfiguration"]["Subnets"]
    assert place["AssignPublicIp"] == "DISABLED"


def test_a_run_that_cannot_be_started_is_tried_again_and_then_told(beside: Beside) -> None:
    target = beside.schedule(beside.audience)["Target"]
    assert target["RetryPolicy"] == {"MaximumEventAgeInSeconds": 900, "MaximumRetryAttempts": 20}
    queue = beside.logical_id(beside.runner.failure_queue)
    assert target["DeadLetterConfig"] == {"Arn": {"Fn::GetAtt": [queue, "Arn"]}}


def test_a_cron_schedule_has_its_time_zone(beside: Beside) -> None:
    schedule = beside.schedule(beside.trait)
    assert schedule["ScheduleExpression"] == "cron(0 6 * * ? *)"
    assert schedule["ScheduleExpressionTimezone"] == "America/Los_Angeles"


@pytest.mark.parametrize(("name", "hours"), [(BUYERS, 3), (VALUE, 50)])
def test_a_stale_audience_is_an_alarm(beside: Beside, name: str, hours: int) -> None:
    [alarm] = [
        each
        for each in beside.of_type("AWS::CloudWatch::Alarm").values()
        if {"Name": "Audience", "Value": name} in each.get("Dimensions", [])
    ]
    assert (alarm["Namespace"], alarm["MetricName"]) == ("Headgate", "AudienceSyncs")
    assert {"Name": "Service", "Value": "headgate"} in alarm["Dimensions"]
    # CloudWatch looks back seven days, and one day where a period is less than an hour.
    assert alarm["Period"] == 3_600
    assert alarm["EvaluationPeriods"] == alarm["DatapointsToAlarm"] == hours
    assert (alarm["ComparisonOperator"], alarm["Threshold"]) == ("LessThanThreshold", 1)
    assert alarm["TreatMissingData"] == "breaching"
    assert alarm["AlarmActions"] == alarm["OKActions"] == [TOPIC_ARN]


@pytest.mark.parametrize("props", [{"enabled": False}, {"stale_after_hours": 0}])
def test_who_is_not_expected_is_not_missed(props: dict[str, Any]) -> None:
    stack = new_stack()
    made = sync(runner(stack, forwarder=forwarder(stack)), **props)
    assert made.stale_alarm is None


@pytest.mark.parametrize(
    ("props", "said"),
    [
        ({"name": "Käufer"}, "name: 'Käufer' is not allowed; it must be 1 to 255 printable ASCII"),
        ({"name": ""}, "name: '' is not allowed"),
        ({"source_id": ""}, "source_id: '' is not allowed; it must be 1 to 255 printable"),
        ({"id_column": ""}, "id_column: it may be empty only beside anonymous_id_column"),
        ({"schedule": "hourly"}, r"schedule: 'hourly' is not allowed; it is a rate, as rate\(1 hour\)"),
        ({"schedule": "at(2027-01-01T00:00:00)"}, "schedule: 'at"),
        ({"time_zone": "+02:00"}, r"time_zone: '\+02:00' is not allowed; it is a name"),
        ({"max_removed": 0}, "max_removed: 0 is not allowed; it is a share, above 0 to 1"),
        ({"max_removed": 20}, "max_removed: 20 is not allowed"),
        ({"max_records_per_second": 0}, "max_records_per_second: 0 is not allowed"),
        ({"cpu": 1_000}, "cpu: 1000 is not allowed"),
        ({"memory_mib": 512}, "memory_mib: 512 is not allowed; a task of 1024 cpu has"),
        ({"ephemeral_storage_gib": 20}, "ephemeral_storage_gib: 20 is not allowed; .* from 21 to 200"),
        ({"stale_after_hours": 169}, "stale_after_hours: 169 is not allowed; .* from 0 to 168"),
        ({"schedule": "cron(0 6 * * ? *)"}, "stale_after_hours: cron.* does not say it"),
        ({"schedule": "rate(7 days)"}, r"stale_after_hours: rate\(7 days\) does not say it; .* or 0 for no"),
    ],
)
def test_what_cannot_be_is_refused_with_one_line(
    on: Any, props: dict[str, Any], said: str, request: pytest.FixtureRequest
) -> None:
    with pytest.raises(ValueError, match=said):
        sync(on, f"Sync{abs(hash(request.node.name))}", **props)


@pytest.fixture(scope="module")
def on() -> Any:
    stack = new_stack()
    return runner(stack, forwarder=forwarder(stack))


def test_an_audience_of_anonymous_ids_alone_has_no_column_of_user_ids() -> None:
    stack = new_stack()
    made = Beside.__new__(Beside)
    made.stack, on = stack, runner(stack, forwarder=forwarder(stack))
    told = options(made.command(sync(on, id_column="", anonymous_id_column="device")))
    assert (told["--id-column"], told["--anonymous-id-column"]) == ("", "device")


@pytest.mark.parametrize(
    "location", ["exports/buyers/", "s3://exports", "s3://exports/", "s3://Exports/a", "s3://exports/${a}"]
)
def test_members_are_somewhere_in_s3(location: str) -> None:
    with pytest.raises(ValueError, match=r"location: .* is not allowed; it is one object"):
        AudienceMembers(location=location)


def test_the_command_line_knows_every_option_that_a_task_is_told(beside: Beside) -> None:
    from headgate.cli.app import app

    for each in (beside.audience, beside.trait):
        kind, verb, *_ = beside.command(each)
        told = CliRunner().invoke(app, [kind, verb, "--help"], env={"COLUMNS": "200"})
        assert told.exit_code == 0, told.output
        missing = [name for name in options(beside.command(each)) if name not in told.output]
        assert missing == []
