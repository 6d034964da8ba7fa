"""The wheel alone: what `pip install headgate` gives to somebody who has no checkout."""

import json
import os
import shutil
import subprocess
import sys
import zipfile
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.examples.synthesis import ROOT

pytestmark = pytest.mark.slow

EXAMPLES = sorted(path.parent.name for path in ROOT.glob("examples/*/app.py"))
UV = ROOT / ".tools" / "uv" / "bin" / "uv"


@dataclass(frozen=True)
class Installed:
    """A virtual environment with the wheel and what it requires, and a directory far away."""

    environment: Path
    directory: Path

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
    subprocess.run([*install, "--constraints", ROOT / "requirements" / "dev.txt", wheel], check=True)
    return Installed(environment, directory)


def test_the_base_install_is_the_constructs_alone(installed: Installed) -> None:
    names = "('constructs_lib', 'headgate', 'aws_cdk', 'boto3', 'msgspec', 'typer', 'stacks', 'runtime')"
    done = installed.run(
        "python",
        "-c",
        "import importlib.util as u, json; "
        f"print(json.dumps({{n: s.origin for n in {names} if (s := u.find_spec(n))}}))",
    )
    assert done.returncode == 0, done.stderr
    origins = json.loads(done.stdout)
    assert set(origins) == {"constructs_lib", "headgate", "aws_cdk"}
    [wheel] = installed.directory.glob("headgate-*.whl")
    tops = {name.split("/")[0] for name in zipfile.ZipFile(wheel).namelist()}
    assert {top for top in tops if not top.endswith(".dist-info")} == {"constructs_lib", "headgate"}
    assert all(Path(origin).is_relative_to(installed.environment) for origin in origins.values())


@pytest.mark.parametrize("name", EXAMPLES)
def test_each_example_synthesizes(installed: Installed, name: str) -> None:
    app = installed.directory / f"{name}.py"
    shutil.copy(ROOT / "examples" / name / "app.py", app)
    outdir = installed.directory / f"{name}.out"
    done = installed.run("python", app, CDK_OUTDIR=str(outdir), CDK_VALIDATION="false")
    assert (done.returncode, done.stderr) == (0, "")
    [template] = outdir.glob("*.template.json")
    resources = json.loads(template.read_text())["Resources"].values()
    assert {"AWS::Kinesis::Stream", "AWS::IAM::Role", "AWS::IAM::ManagedPolicy"} <= {
        resource["Type"] for resource in resources
    }


@pytest.mark.parametrize("arguments", [["serve", "--sources", "sources.toml"], ["--help"], []])
def test_the_command_says_in_one_line_which_extra_it_needs(
    installed: Installed, arguments: list[str]
) -> None:
    done = installed.run("headgate", *arguments)
    assert done.returncode == 1
    assert done.stderr == (
        "headgate: this command needs an extra that is not installed: pip install 'headgate[runtime]'\n"
    )
