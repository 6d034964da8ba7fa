"""The wheel alone: what `pip install headgate` gives to somebody who has no checkout."""

import json
import os
import shutil
import subprocess
import sys
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urljoin
from urllib.request import HTTPCookieProcessor, ProxyHandler, build_opener

import pytest

from tests.examples.synthesis import ROOT

pytestmark = pytest.mark.slow

LOCKED = ("--constraints", ROOT / "requirements" / "dev.txt")
EXAMPLES = sorted(path.parent.name for path in ROOT.glob("examples/*/app.py"))
UV = ROOT / ".tools" / "uv" / "bin" / "uv"
FILES_OF_THE_IMAGE = {".dockerignore", "Dockerfile", "requirements.txt", "requirements-audiences.txt"}
VENDORED = {
    *("htmx.min.js", "htmx-sse.js", "uPlot.iife.min.js", "uPlot.min.css"),
    *(f"LICENSE.{name}" for name in ("htmx.org", "htmx-ext-sse", "uplot")),
}
IMAGE = """
import aws_cdk as cdk
from aws_cdk import aws_ecs as ecs
from constructs_lib.forwarder.image import audiences_image, forwarder_image

app = cdk.App()
stack = cdk.Stack(app, "Image")
forwarder_image(stack, "Arm64", cpu_architecture=ecs.CpuArchitecture.ARM64)
audiences_image(stack, "WithAudiences", cpu_architecture=ecs.CpuArchitecture.ARM64)
app.synth()
"""

OWN_STACK = """
from aws_cdk import App, Environment, Stack
from aws_cdk import aws_certificatemanager as acm
from aws_cdk import aws_secretsmanager as secretsmanager

from constructs_lib import DestinationRole, EventStream
from constructs_lib.forwarder import Forwarder, ForwarderDestination, forwarder_principal

app = App()
stack = Stack(app, "own", env=Environment(region="us-west-2"))
events = EventStream(stack, "Events")
role = DestinationRole(
    stack,
    "Role",
    streams=[events],
    source_ids=["8kf3Qw2LpZ"],
    principals=[forwarder_principal(task_role_name="own-forwarder")],
    shard_map=True,
)
certificate_arn = "arn:aws:acm:us-west-2:123456789012:certificate/0a1b2c3d-4e5f-6789-0a1b-2c3d4e5f6789"
Forwarder(
    stack,
    "Forwarder",
    sources=secretsmanager.Secret.from_secret_name_v2(stack, "Sources", "own/sources"),
    destinations=[ForwarderDestination.of(events, role)],
    domain_name="events.example.com",
    certificate=acm.Certificate.from_certificate_arn(stack, "Certificate", certificate_arn),
    task_role_name="own-forwarder",
)
app.synth()
"""


def files_of_the_console() -> set[str]:
    """Return what its pages are made of: our own files, and those of others with their licences."""
    room = ROOT / "runtime/headgate/console"
    own = {
        path.relative_to(room).as_posix()
        for part in ("templates", "static")
        for path in (room / part).rglob("*")
        if path.is_file()
    }
    return own | {f"vendor/{name}" for name in VENDORED}


@dataclass(frozen=True)
class Installed:
    """A virtual environment with the wheel and what it requires, and a directory far away."""

    environment: Path
    directory: Path

    @property
    def packages(self) -> Path:
        """Its site-packages."""
        [packages] = self.environment.glob("lib/python3.*/site-packages")
        return packages

    def images(self, outdir: str, *, staging: bool = True, **variables: str) -> dict[str, Any]:
        """Return what the assembly of an app with both images says of them, by the assets' hashes."""
        done = self.run(
            "python",
            self.directory / "image.py",
            CDK_OUTDIR=str(self.directory / outdir),
            CDK_CONTEXT_JSON=json.dumps({"aws:cdk:disable-asset-staging": not staging}),
            CDK_VALIDATION="false",
            **variables,
        )
        assert (done.returncode, done.stderr) == (0, "")
        assets = json.loads((self.directory / outdir / "Image.assets.json").read_text())
        return dict(assets["dockerImages"])

    def run(self, command: str, *arguments: str | Path, **variables: str) -> subprocess.CompletedProcess[str]:
        node = Path(sys.executable).with_name("node")
        return subprocess.run(
            [self.environment / "bin" / command, *arguments],
            # None of this process's own variables: neither PYTHONPATH nor the checkout's .venv on PATH.
            env={
                "PATH": os.environ["PATH"].replace(str(Path(sys.executable).parent), ""),
                "HOME": os.environ["HOME"],
                **({"JSII_NODE": str(node)} if node.is_file() else {}),
                **variables,
            },
            cwd=self.directory,
            capture_output=True,
            text=True,
        )


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Installed:
    directory = tmp_path_factory.mktemp("wheel")
    environment = directory / "environment"
    build = [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", directory]
    subprocess.run(build, cwd=ROOT, check=True, capture_output=True)
    [wheel] = directory.glob("headgate-*.whl")
    subprocess.run([UV, "venv", "--quiet", "--python", sys.executable, environment], check=True)
    # The lock chooses the versions and their hashes; what is installed is what the wheel asks for.
    install = [UV, "pip", "install", "--quiet", "--python", environment / "bin" / "python"]
    subprocess.run([*install, *LOCKED, wheel], check=True)
    (directory / "image.py").write_text(IMAGE, encoding="utf-8")
    return Installed(environment, directory)


def test_the_base_install_is_the_constructs_alone(installed: Installed) -> None:
    modules = "('constructs_lib', 'headgate', 'aws_cdk', 'boto3', 'msgspec', 'typer', 'stacks', 'runtime')"
    done = installed.run(
        "python",
        "-c",
        "import importlib.util as u, json; "
        f"print(json.dumps({{n: s.origin for n in {modules} if (s := u.find_spec(n))}}))",
    )
    assert done.returncode == 0, done.stderr
    origins = json.loads(done.stdout)
    assert set(origins) == {"constructs_lib", "headgate", "aws_cdk"}
    [wheel] = installed.directory.glob("headgate-*.whl")
    names = zipfile.ZipFile(wheel).namelist()
    tops = {name.split("/")[0] for name in names}
    assert {top for top in tops if not top.endswith(".dist-info")} == {"constructs_lib", "headgate"}
    beside = {name for name in names if not name.endswith((".py", "/py.typed")) and ".dist-info/" not in name}
    of_the_image = {f"constructs_lib/_image/{name}" for name in FILES_OF_THE_IMAGE}
    of_the_console = {f"headgate/console/{name}" for name in files_of_the_console()}
    assert beside == of_the_image | of_the_console | {"headgate/planning/prices.toml"}
    assert all(Path(origin).is_relative_to(installed.environment) for origin in origins.values())


@pytest.mark.parametrize("name", EXAMPLES)
def test_each_example_synthesizes(installed: Installed, name: str) -> None:
    app = installed.directory / f"{name}.py"
    shutil.copy(ROOT / "examples" / name / "app.py", app)
    outdir = installed.directory / f"{name}.out"
    done = installed.run("python", app, CDK_OUTDIR=str(outdir), CDK_VALIDATION="false")
    assert (done.returncode, done.stderr) == (0, "")
    templates = [json.loads(template.read_text()) for template in outdir.glob("*.template.json")]
    assert {"AWS::IAM::Role", "AWS::IAM::ManagedPolicy"} <= {
        resource["Type"] for template in templates for resource in template["Resources"].values()
    }


def test_cdk_synth_of_a_stack_of_ones_own_with_a_forwarder(installed: Installed) -> None:
    app = installed.directory / "own.py"
    app.write_text(OWN_STACK, encoding="utf-8")
    outdir = installed.directory / "own.out"
    # CDK's own command line, which needs a Node, as jsii does.
    node = Path(sys.executable).with_name("node")
    done = installed.run(
        str(node) if node.is_file() else shutil.which("node") or "node",
        *(ROOT / "node_modules/aws-cdk/bin/cdk", "synth", "--quiet", "--no-notices", "--output", outdir),
        *("--app", f"{installed.environment / 'bin' / 'python'} {app}"),
    )
    assert done.returncode == 0, done.stderr
    resources = json.loads((outdir / "own.template.json").read_text())["Resources"].values()
    types = [resource["Type"] for resource in resources]
    assert (types.count("AWS::Kinesis::Stream"), types.count("AWS::ECS::Service")) == (1, 1)
    # What the image is built from came out of the wheel.
    [image] = json.loads((outdir / "own.assets.json").read_text())["dockerImages"].values()
    names = {path.name for path in (outdir / image["source"]["directory"]).iterdir()}
    assert names == {*FILES_OF_THE_IMAGE, "headgate"}


def test_each_image_is_the_same_asset_as_in_a_checkout(installed: Installed, tmp_path: Path) -> None:
    for room in ("constructs_lib", "runtime"):
        shutil.copytree(ROOT / room, tmp_path / room, ignore=shutil.ignore_patterns("__pycache__"))
    in_checkout = installed.images("checkout", PYTHONPATH=str(tmp_path)).keys()
    assert len(in_checkout) == 2
    assert installed.images("wheel").keys() == in_checkout
    # Python compiles what it imports, pip what it installs, and people leave things about.
    for directory in (tmp_path / "runtime", installed.packages / "headgate"):
        assert installed.run("python", "-m", "compileall", "-q", directory).returncode == 0
        assert list(directory.rglob("*.pyc"))
    (tmp_path / "runtime" / "notes.txt").write_text("to do")
    assert installed.images("checkout", PYTHONPATH=str(tmp_path)).keys() == in_checkout
    assert installed.images("wheel").keys() == in_checkout


def test_where_staging_is_off_the_image_is_built_from_a_directory_that_stays(installed: Installed) -> None:
    for asset in installed.images("unstaged", staging=False).values():
        context = installed.directory / "unstaged" / asset["source"]["directory"]
        assert {path.name for path in context.iterdir()} == {"headgate", *FILES_OF_THE_IMAGE}


@pytest.mark.parametrize("arguments", [["serve", "--sources", "sources.toml"], ["--help"], []])
def test_the_command_says_in_one_line_which_extra_it_needs(
    installed: Installed, arguments: list[str]
) -> None:
    done = installed.run("headgate", *arguments)
    assert done.returncode == 1
    assert done.stderr == (
        "headgate: this command needs an extra that is not installed: pip install 'headgate[runtime]'\n"
    )


def test_the_extra_console_is_all_that_the_console_needs(installed: Installed) -> None:
    # What the base install has is taken over, so only what the extra brings is installed.
    environment = installed.directory / "console"
    subprocess.run([UV, "venv", "--quiet", "--python", sys.executable, environment], check=True)
    python = environment / "bin" / "python"
    [wheel] = installed.directory.glob("headgate-*.whl")
    install = [UV, "pip", "install", "--quiet", "--python", python, *LOCKED, f"{wheel}[console]"]
    subprocess.run(install, check=True)
    (installed.directory / "sources.toml").write_text("", encoding="utf-8")
    command = [environment / "bin" / "headgate", "console", "--no-open"]
    with subprocess.Popen(command, cwd=installed.directory, stdout=subprocess.PIPE, text=True) as console:
        assert console.stdout is not None
        link = console.stdout.readline().strip()
        browser = build_opener(ProxyHandler({}), HTTPCookieProcessor())
        with browser.open(link, timeout=10) as page:
            assert "<h1>Overview</h1>" in page.read().decode()
        for name in VENDORED:
            with browser.open(urljoin(link, f"/vendor/{name}"), timeout=10) as file:
                assert file.read()
        console.terminate()
    assert console.returncode == 0
