"""One environment's audiences: wired from its TOML, beside its forwarder."""

import json
from typing import Any

import pytest

from headgate.audiences.key import key_of
from headgate.errors import SettingsError
from tests.prod_with_audiences import prod_with_audiences, stacks

# All that an audience's table may hold.
WHOLE = """
[[audiences]]
name = "Plan"
members = "s3://example-exports/plan/2026-*.parquet"
members_key_arn = "arn:aws:kms:us-west-2:123456789012:key/members"
source_id = "2bYt7RxMnc"
schedule = "rate(12 hours)"
id_column = ""
anonymous_id_column = "device"
value_column = "plan"
max_records_per_second = 50
max_removed = 0.1
cpu = 2048
memory_mib = 4096
ephemeral_storage_gib = 60
enabled = false
"""


@pytest.fixture(scope="module")
def template() -> dict[str, Any]:
    made = stacks("prod", prod_with_audiences())
    return made.template(made.audiences)


def of_type(template: dict[str, Any], type_: str) -> dict[str, dict[str, Any]]:
    return {name: one["Properties"] for name, one in template["Resources"].items() if one["Type"] == type_}


def test_each_audience_is_a_task_and_a_schedule_of_its_own(template: dict[str, Any]) -> None:
    definitions = of_type(template, "AWS::ECS::TaskDefinition")
    schedules = of_type(template, "AWS::Scheduler::Schedule")
    run = [each["Target"]["EcsParameters"]["TaskDefinitionArn"] for each in schedules.values()]
    assert [each["Ref"] for each in run] == list(definitions)
    assert len(definitions) == 2


def test_what_they_are_called_does_not_depend_on_their_order(template: dict[str, Any]) -> None:
    assert [name[:-8] for name in of_type(template, "AWS::ECS::TaskDefinition")] == [
        "OrderCompletedLast30daysOf8kf3Qw2LpZTask",
        "LifetimeValueOf8kf3Qw2LpZTask",
    ]


def test_the_names_in_the_example_have_keys() -> None:
    assert key_of("Order completed last 30days") == "order_completed_last_30days"
    assert key_of("Lifetime value") == "lifetime_value"


def test_its_outputs_are_what_an_operator_asks_for(template: dict[str, Any]) -> None:
    assert {"TaskRole", "StateBucket", "FailureQueue"} == template["Outputs"].keys()


def test_the_forwarder_s_stack_lets_them_in_by_name_and_names_nothing_of_theirs() -> None:
    made = stacks("prod", prod_with_audiences())
    beside = made.template(made.forwarder)["Resources"]
    assert made.audiences.stack_name + "/" not in json.dumps(beside)
    naming = {name[:-8] for name, one in beside.items() if "role/headgate-prod-audiences" in json.dumps(one)}
    assert naming == {
        "Role",
        "NetworkEndpointsSts",
        "NetworkEndpointsSecretsManager",
        "NetworkEndpointsS3",
    }


def test_every_key_of_a_table_is_told_to_the_construct() -> None:
    made = stacks("whole", prod_with_audiences().partition("[[audiences]]")[0] + WHOLE)
    template = made.template(made.audiences)
    [definition] = of_type(template, "AWS::ECS::TaskDefinition").values()
    [container] = definition["ContainerDefinitions"]
    told = [each for each in container["Command"] if isinstance(each, str)]
    assert {
        "trait",
        "--values=s3://example-exports/plan/2026-*.parquet",
        "--source=2bYt7RxMnc",
        "--id-column=",
        "--anonymous-id-column=device",
        "--value-column=plan",
        "--max-records-per-second=50",
        "--max-removed=0.1",
    } <= set(told)
    assert (definition["Cpu"], definition["Memory"]) == ("2048", "4096")
    assert definition["EphemeralStorage"] == {"SizeInGiB": 60}
    [schedule] = of_type(template, "AWS::Scheduler::Schedule").values()
    assert (schedule["ScheduleExpression"], schedule["State"]) == ("rate(12 hours)", "DISABLED")
    assert len(of_type(template, "AWS::CloudWatch::Alarm")) == 1  # that of failures
    statements = [
        statement
        for policy in of_type(template, "AWS::IAM::ManagedPolicy").values()
        for statement in policy["PolicyDocument"]["Statement"]
    ]
    [decrypting] = [each for each in statements if each.get("Sid") == "DecryptMembers"]
    assert decrypting["Resource"] == "arn:aws:kms:us-west-2:123456789012:key/members"
    [listing] = [each for each in statements if "StringLike" in each.get("Condition", {})]
    assert listing["Condition"]["StringLike"] == {"s3:prefix": ["plan/2026-*"]}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (
            'region = "us-west-2"\n[role]\nsource_ids = ["ab"]\n' + WHOLE,
            r"audiences are synced beside a forwarder; add a table \[forwarder\]",
        ),
        (prod_with_audiences() + WHOLE + WHOLE, "audiences: 'Plan' is there more than once for one source"),
        (prod_with_audiences() + "every = 1\n", "every"),
    ],
)
def test_what_an_environment_cannot_mean_is_one_line(text: str, said: str) -> None:
    with pytest.raises(SettingsError, match=said):
        stacks("wrong", text)
