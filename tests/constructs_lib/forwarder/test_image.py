"""The image as an asset: for the architecture of the task, of the files of the image and no others."""

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk import aws_ecs as ecs
from aws_cdk.assertions import Template

from constructs_lib.forwarder import image as module
from constructs_lib.forwarder.image import audiences_image, forwarder_image
from tests.constructs_lib.conftest import FLAGS


def image_in_an_app(
    outdir: Path,
    architecture: ecs.CpuArchitecture,
    make: Callable[..., ecs.ContainerImage] = forwarder_image,
    **context: Any,
) -> dict[str, Any]:
    """Make a task of an image; return the image's entry in the assembly, and the task's architecture."""
    app = cdk.App(outdir=str(outdir), context=FLAGS | context)
    stack = cdk.Stack(app, "Test")
    task = ecs.FargateTaskDefinition(
        stack, "Task", runtime_platform=ecs.RuntimePlatform(cpu_architecture=architecture)
    )
    task.add_container("headgate", image=make(stack, "Image", cpu_architecture=architecture))
    [made] = Template.from_stack(stack).find_resources("AWS::ECS::TaskDefinition").values()
    [asset] = json.loads((outdir / "Test.assets.json").read_text())["dockerImages"].values()
    asset["task"] = made["Properties"]["RuntimePlatform"]["CpuArchitecture"]
    return dict(asset)


@pytest.mark.parametrize(("name", "platform"), [("ARM64", "linux/arm64"), ("X86_64", "linux/amd64")])
def test_the_image_is_for_the_architecture_of_the_task(tmp_path: Path, name: str, platform: str) -> None:
    named = image_in_an_app(tmp_path / "named", getattr(ecs.CpuArchitecture, name))
    spelt = image_in_an_app(tmp_path / "spelt", ecs.CpuArchitecture.of(name))
    assert named == spelt
    assert (named["task"], named["source"]["platform"]) == (name, platform)


def test_the_image_with_audiences_is_the_other_target_of_the_same_files(tmp_path: Path) -> None:
    plain = image_in_an_app(tmp_path / "plain", ecs.CpuArchitecture.ARM64)
    other = image_in_an_app(tmp_path / "other", ecs.CpuArchitecture.ARM64, audiences_image)
    assert "dockerBuildTarget" not in plain["source"]
    target = other["source"]["dockerBuildTarget"]
    dockerfile = (tmp_path / "other" / other["source"]["directory"] / "Dockerfile").read_text()
    assert re.search(rf"^FROM \S+ AS {target}$", dockerfile, re.MULTILINE)


def test_an_architecture_that_there_is_no_image_for_is_refused(stack: cdk.Stack) -> None:
    with pytest.raises(
        ValueError, match="cpu_architecture is RISCV; the image is built for ARM64 and X86_64"
    ):
        forwarder_image(stack, "Image", cpu_architecture=ecs.CpuArchitecture.of("RISCV"))


def test_the_asset_holds_what_the_image_is_built_from_and_nothing_else(tmp_path: Path) -> None:
    asset = image_in_an_app(tmp_path, ecs.CpuArchitecture.ARM64)
    staged = tmp_path / asset["source"]["directory"]
    files = {str(path.relative_to(staged)) for path in staged.rglob("*") if path.is_file()}
    of_the_package = {name for name in files if name.startswith("headgate/")}
    assert files - of_the_package == {
        "Dockerfile",
        ".dockerignore",
        "requirements.txt",
        "requirements-audiences.txt",
    }
    assert {"headgate/__main__.py", "headgate/health.py", "headgate/py.typed"} <= of_the_package
    assert not [name for name in files if re.search(r"__pycache__|\.pyc$|/testing/|/console/", name)]
    runtime = Path(module.__file__).parents[2] / "runtime"
    package = [path.relative_to(runtime) for path in runtime.rglob("*.py")]
    shipped = {str(path) for path in package if path.parts[1] not in ("console", "testing")}
    assert shipped == {name for name in of_the_package if name.endswith(".py")}


def test_the_code_of_the_document_runs(stack: cdk.Stack) -> None:
    document = Path(module.__file__).parents[2] / "docs" / "image.md"
    [code] = re.findall(r"```python\n(.*?)```", document.read_text(encoding="utf-8"), re.DOTALL)
    names: dict[str, Any] = {"stack": stack}
    exec(code, names)
    assert isinstance(names["image"], ecs.ContainerImage)


def test_where_staging_is_off_the_asset_is_a_directory_that_is_there(tmp_path: Path) -> None:
    asset = image_in_an_app(tmp_path, ecs.CpuArchitecture.ARM64, **{"aws:cdk:disable-asset-staging": True})
    assert (tmp_path / asset["source"]["directory"] / "Dockerfile").is_file()
