"""What runs in a task, and what it may not."""

import json
from pathlib import Path

import pytest
from aws_cdk import aws_ecs as ecs
from aws_cdk import aws_iam as iam
from aws_cdk import aws_secretsmanager as secretsmanager

from tests.constructs_lib.forwarder.scene import ACCOUNT, REGION, Scene, new_stack


def test_it_runs_on_arm_unless_told_otherwise(plain: Scene) -> None:
    assert plain.only("AWS::ECS::TaskDefinition")["RuntimePlatform"] == {
        "CpuArchitecture": "ARM64",
        "OperatingSystemFamily": "LINUX",
    }
    other = Scene(cpu_architecture=ecs.CpuArchitecture.X86_64)
    assert other.only("AWS::ECS::TaskDefinition")["RuntimePlatform"]["CpuArchitecture"] == "X86_64"


def test_its_root_file_system_is_read_only(plain: Scene) -> None:
    assert plain.container["ReadonlyRootFilesystem"] is True


def test_it_runs_as_a_numeric_user_that_is_not_root(plain: Scene) -> None:
    assert plain.container["User"] == "65532:65532"
    assert plain.container["Privileged"] is False


def test_it_has_an_init_process_and_no_capability(plain: Scene) -> None:
    assert plain.container["LinuxParameters"] == {
        "InitProcessEnabled": True,
        "Capabilities": {"Drop": ["ALL"]},
    }


def test_it_has_no_environment_variables_and_no_mounts(plain: Scene) -> None:
    assert {"Environment", "EnvironmentFiles", "Secrets", "MountPoints"}.isdisjoint(plain.container)
    assert "Volumes" not in plain.only("AWS::ECS::TaskDefinition")


def test_its_command_says_where_clients_reach_it_and_that_one_proxy_stands_before_it(plain: Scene) -> None:
    assert plain.command["--public-url"] == "https://events.example.com"
    assert plain.command["--forwarded-hops"] == "1"


def test_its_command_names_the_queues_and_the_metrics_dimension(plain: Scene) -> None:
    queues = (plain.forwarder.overflow_queue, plain.forwarder.dead_letter_queue)
    assert [plain.command[option] for option in ("--overflow-queue", "--dead-letter-queue")] == [
        {"Ref": plain.logical_id(queue)} for queue in queues
    ]
    assert plain.command["--service-name"] == "headgate"
    assert Scene(service_name="mine").command["--service-name"] == "mine"


def test_it_listens_where_the_load_balancer_sends(plain: Scene) -> None:
    assert (plain.command["--host"], plain.command["--port"]) == ("0.0.0.0", "8080")
    assert plain.container["PortMappings"] == [{"ContainerPort": 8080, "Protocol": "tcp"}]


def test_its_command_holds_nothing_more(plain: Scene) -> None:
    assert set(plain.command) == {
        "--sources",
        "--host",
        "--port",
        "--workers",
        "--forwarded-hops",
        "--public-url",
        "--drain",
        "--overflow-queue",
        "--dead-letter-queue",
        "--service-name",
    }


def test_the_settings_are_named_and_not_told(plain: Scene) -> None:
    assert plain.command["--sources"] == "secretsmanager://headgate/sources"
    assert "{{resolve:" not in json.dumps(plain.template)


def test_a_secret_whose_arn_is_known_is_named_by_it() -> None:
    stack = new_stack()
    arn = f"arn:aws:secretsmanager:{REGION}:{ACCOUNT}:secret:theirs-AbCdEf"
    scene = Scene(stack, sources=secretsmanager.Secret.from_secret_complete_arn(stack, "Theirs", arn))
    assert scene.command["--sources"] == f"secretsmanager://{arn}"


def test_a_secret_of_the_same_stack_is_named_by_its_arn() -> None:
    stack = new_stack()
    secret = secretsmanager.Secret(stack, "Own")
    scene = Scene(stack, sources=secret)
    assert scene.command["--sources"] == {
        "Fn::Join": ["", ["secretsmanager://", {"Ref": scene.logical_id(secret)}]]
    }


@pytest.mark.parametrize(
    ("cpu", "memory_mib", "workers"), [(256, 512, "1"), (1_024, 2_048, "1"), (4_096, 8_192, "4")]
)
def test_there_is_a_worker_for_each_whole_cpu(cpu: int, memory_mib: int, workers: str) -> None:
    scene = Scene(cpu=cpu, memory_mib=memory_mib)
    task = scene.only("AWS::ECS::TaskDefinition")
    assert (task["Cpu"], task["Memory"]) == (str(cpu), str(memory_mib))
    assert scene.command["--workers"] == workers


def test_its_health_check_is_the_image_s_own(plain: Scene) -> None:
    check = plain.container["HealthCheck"]
    assert check["Command"] == ["CMD", "python3", "-m", "headgate.health"]
    assert check["StartPeriod"] == 30
    assert '"-m", "headgate.health"' in (Path(__file__).parents[3] / "runtime/Dockerfile").read_text()


def test_its_log_goes_to_the_forwarder_s_log_group_and_never_holds_it_up(plain: Scene) -> None:
    assert plain.container["LogConfiguration"] == {
        "LogDriver": "awslogs",
        "Options": {
            "awslogs-group": {"Ref": plain.logical_id(plain.forwarder.log_group)},
            "awslogs-region": REGION,
            "awslogs-stream-prefix": "forwarder",
            "mode": "non-blocking",
            "max-buffer-size": "26214400b",
        },
    }


def test_only_tasks_of_this_account_may_be_the_roles(plain: Scene) -> None:
    for role in (plain.forwarder.task_role, plain.forwarder.execution_role):
        [statement] = plain.properties(role)["AssumeRolePolicyDocument"]["Statement"]
        assert statement["Principal"] == {"Service": "ecs-tasks.amazonaws.com"}
        assert statement["Condition"]["StringEquals"] == {"aws:SourceAccount": {"Ref": "AWS::AccountId"}}
        assert list(statement["Condition"]["ArnLike"]) == ["aws:SourceArn"]


def test_the_task_role_has_the_name_it_is_given_and_else_none(plain: Scene) -> None:
    assert "RoleName" not in plain.properties(plain.forwarder.task_role)
    named = Scene(task_role_name="events-forwarder")
    assert named.properties(named.forwarder.task_role)["RoleName"] == "events-forwarder"


def test_roles_that_are_there_already_are_used_and_none_is_made() -> None:
    stack = new_stack()
    task_role, execution_role = (
        iam.Role.from_role_arn(stack, name, f"arn:aws:iam::{ACCOUNT}:role/{name}")
        for name in ("task", "execution")
    )
    scene = Scene(stack, task_role=task_role, execution_role=execution_role)
    definition = scene.only("AWS::ECS::TaskDefinition")
    assert definition["TaskRoleArn"] == f"arn:aws:iam::{ACCOUNT}:role/task"
    assert definition["ExecutionRoleArn"] == f"arn:aws:iam::{ACCOUNT}:role/execution"
    assert scene.of_type("AWS::IAM::Role") == {}
    assert scene.only("AWS::IAM::ManagedPolicy")["Roles"] == ["task"]
    assert scene.only("AWS::IAM::Policy")["Roles"] == ["execution"]
    assert scene.forwarder.task_role is task_role


def test_an_image_of_one_s_own_is_run_and_none_is_built(plain: Scene) -> None:
    assert plain.container["Image"] == "registry.example.com/headgate"


def test_the_image_is_else_built_from_this_version() -> None:
    scene = Scene(image=None)
    assert ".dkr.ecr." in json.dumps(scene.container["Image"])
