"""Nothing unexplained: cdk-nag, CDK's strict validation, cfn-lint and checkov, on every app here."""

import json
import re
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.examples.synthesis import ROOT, Synthesis, synthesize
from tests.prod_with_audiences import environments_with_audiences

pytestmark = [pytest.mark.slow, pytest.mark.timeout(400)]

CHECKOV = ROOT / ".tools" / "checkov" / "bin" / "checkov"

APPS: dict[str, tuple[Path, dict[str, str]]] = {
    **{file.parent.name: (file, {}) for file in ROOT.glob("examples/*/app.py")},
    **{file.stem: (ROOT / "app.py", {"env": file.stem}) for file in ROOT.glob("environments/*.toml")},
}
# The environment prod with the two audiences that its file has as an example.
AUDIENCES = "prod-with-audiences"
APPS[AUDIENCES] = (ROOT / "app.py", {})

KINDS = ("stream", "forwarder")

# A stream that every one of the scanners has something to say about.
DEFECTIVE = """
import aws_cdk as cdk
from aws_cdk import aws_kinesis as kinesis

app = cdk.App()
stack = cdk.Stack(app, "defective")
stream = kinesis.Stream(stack, "Stream", encryption=kinesis.StreamEncryption.UNENCRYPTED)
stream.node.default_child.add_property_override("NoSuchProperty", "1")
app.synth()
"""


@pytest.fixture(scope="module")
def syntheses(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Synthesis]:
    defective = tmp_path_factory.mktemp("defective") / "app.py"
    defective.write_text(DEFECTIVE)

    environments = environments_with_audiences(tmp_path_factory.mktemp("environments"))

    def run(name: str) -> Synthesis:
        app, context = APPS.get(name, (defective, {}))
        if name == AUDIENCES:
            context = {"env": name, "environments_dir": str(environments)}
        return synthesize(app, tmp_path_factory.mktemp(name), checked=True, **context)

    names = [*APPS, "defective"]
    with ThreadPoolExecutor(2) as pool:
        return dict(zip(names, pool.map(run, names), strict=True))


@pytest.mark.parametrize("name", APPS)
def test_cdk_nag_and_strict_validation_find_nothing(syntheses: dict[str, Synthesis], name: str) -> None:
    synthesis = syntheses[name]
    assert synthesis.done.returncode == 0, synthesis.done.stderr
    assert synthesis.findings() == set()


# CDK's own, wherever a stack makes a VPC with flow logs: its linter would take CDK's templates for wrong.
_OF_CDK = {
    ("", "CloudFormation-Validate::W3010"),
    ("/Network/Vpc/FlowLog", "CloudFormation-Validate::F3002"),
    ("/Network/Vpc/FlowLog", "CloudFormation-Validate::F3003"),
}
_OF_FORWARDER = {
    # In an outage every message is received many times: a redrive policy would bury them all.
    ("/Forwarder/Queues", "AwsSolutions::AwsSolutions-SQS3"),
    # ecr:GetAuthorizationToken knows no resource.
    ("/Forwarder/ExecutionRole", "AwsSolutions::AwsSolutions-IAM5[Resource::*]"),
    *_OF_CDK,
}
ACKNOWLEDGED = {
    "headgate-dev-forwarder": _OF_FORWARDER,
    # Everybody may send: prod.toml says so.
    "headgate-prod-forwarder": {*_OF_FORWARDER, ("/Forwarder", "AwsSolutions::AwsSolutions-EC23")},
    # A customer managed key in place of AWS' own: prod.toml says so.
    "headgate-prod-stream": {("/Stream", "AwsSolutions::AwsSolutions-KDS3")},
}
_STATE = "<AudiencesState3619A46D.Arn>/audiences/*"
_MEMBERS = "arn:<AWS::Partition>:s3:::example-exports/order-completed/*"
OF_AUDIENCES = {
    # Failures end up there, and nobody takes them out but whoever looks into them.
    ("/Audiences/Failures/Queue", "AwsSolutions::AwsSolutions-SQS3"),
    # Objects below one prefix each: state of each sync, and exports of members.
    *(
        ("/Audiences/TaskRole/Policy", f"AwsSolutions::AwsSolutions-IAM5[Resource::{arn}]")
        for arn in (_STATE, _MEMBERS)
    ),
}


def test_each_acknowledgement_is_written_down_here(syntheses: dict[str, Synthesis]) -> None:
    found: dict[str, set[tuple[str, str]]] = {}
    for name in ("dev", "prod", AUDIENCES):
        for path, rule in syntheses[name].acknowledged():
            stack, slash, rest = path.partition("/")
            found.setdefault(stack, set()).add((slash + rest, rule))
    beside = {f"headgate-{AUDIENCES}-{kind}": ACKNOWLEDGED[f"headgate-prod-{kind}"] for kind in KINDS}
    assert found == {**ACKNOWLEDGED, **beside, f"headgate-{AUDIENCES}-audiences": OF_AUDIENCES}


def test_cdk_nag_and_strict_validation_find_a_defect(syntheses: dict[str, Synthesis]) -> None:
    assert syntheses["defective"].done.returncode != 0
    assert {"F3002", "AwsSolutions-KDS1"} <= syntheses["defective"].findings()


def templates_of_all(syntheses: dict[str, Synthesis]) -> list[Path]:
    templates = [template for name in APPS for template in syntheses[name].templates]
    environments = {f"headgate-{name}-{kind}" for name in ("dev", "prod", AUDIENCES) for kind in KINDS}
    environments.add(f"headgate-{AUDIENCES}-audiences")
    assert environments < {template.name.split(".")[0] for template in templates}
    assert len(templates) > len(APPS)
    return templates


def cfn_lint(templates: list[Path]) -> set[tuple[str, str]]:
    """What it finds: the rule, and its words."""
    command = [Path(sys.executable).with_name("cfn-lint"), "--format", "json", "--", *templates]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.stderr == ""
    return {(one["Rule"]["Id"], one["Message"]) for one in json.loads(done.stdout)}


# CDK has a service wait for its target group, though a reference to it does so too: once more does no harm.
_WAITS_TWICE = re.compile(
    r"'(\w*)ForwarderLoadBalancerHttpsTasksGroup\w{8}' dependency already enforced by a 'Ref' at "
    r"'Resources/\1ForwarderService\w{8}/Properties/LoadBalancers/0/TargetGroupArn'"
)


def test_cfn_lint_finds_nothing(syntheses: dict[str, Synthesis]) -> None:
    found = cfn_lint(templates_of_all(syntheses))
    assert {text for rule, text in found if not (rule == "W3005" and _WAITS_TWICE.fullmatch(text))} == set()
    assert found


def test_cfn_lint_finds_a_defect(syntheses: dict[str, Synthesis]) -> None:
    assert any("NoSuchProperty" in text for _, text in cfn_lint(syntheses["defective"].templates))


def checkov(templates: list[Path]) -> tuple[int, set[str]]:
    """How many checks passed, and which failed or were skipped."""
    files = [argument for template in templates for argument in ("-f", template)]
    command = [CHECKOV, "--framework", "cloudformation", "--skip-download", "--output", "json", *files]
    done = subprocess.run(command, capture_output=True, text=True)
    results = json.loads(done.stdout)["results"]
    assert not results["parsing_errors"]
    open_ = results["failed_checks"] + results["skipped_checks"]
    return len(results["passed_checks"]), {one["check_id"] for one in open_}


@pytest.mark.skipif(not CHECKOV.exists(), reason="checkov is not set up: make .tools/checkov/.ready")
def test_checkov_finds_nothing_but_a_defect(syntheses: dict[str, Synthesis]) -> None:
    passed, failed = checkov(templates_of_all(syntheses))
    assert passed >= len(APPS)
    assert failed == set()
    _, failed = checkov(syntheses["defective"].templates)
    assert "CKV_AWS_43" in failed
