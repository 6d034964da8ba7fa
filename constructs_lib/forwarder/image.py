"""The images, built by `cdk deploy` from the package that is installed beside this one."""

import shutil
from pathlib import Path
from typing import Any, cast

from aws_cdk import Stack, Stage
from aws_cdk import aws_ecr_assets as ecr_assets
from aws_cdk import aws_ecs as ecs
from constructs import Construct

_HERE = Path(__file__).resolve().parents[1]
# The wheel has the package once, and beside it the few other files of the image.
_IN_WHEEL = _HERE / "_image"
_IN_CHECKOUT = _HERE.parent / "runtime"

AUDIENCES = "audiences"
"""The Dockerfile's other image, which has DuckDB and a place to write to."""


def forwarder_image(
    scope: Construct, construct_id: str, *, cpu_architecture: ecs.CpuArchitecture
) -> ecs.ContainerImage:
    """Return the image of the forwarder for tasks of an architecture.

    It is an asset: synth needs no Docker, and `cdk deploy` builds it with Docker, or with what `CDK_DOCKER`
    names, on a machine of either architecture. Its hash is the same from a checkout and from an installed
    wheel of the same version, so neither replaces what the other has deployed.

    Args:
        scope: where to make the asset, in an app.
        construct_id: its id within `scope`.
        cpu_architecture: that of the task definition's runtime platform; a task does not start on another.

    Raises:
        ValueError: the image is not built for that architecture.
    """
    return _image(scope, construct_id, cpu_architecture)


def audiences_image(
    scope: Construct, construct_id: str, *, cpu_architecture: ecs.CpuArchitecture
) -> ecs.ContainerImage:
    """Return the image that syncs audiences: the forwarder's, with what the extra `audiences` needs besides.

    All else is as of `forwarder_image`.

    Args:
        scope: where to make the asset, in an app.
        construct_id: its id within `scope`.
        cpu_architecture: that of the task definition's runtime platform.

    Raises:
        ValueError: the image is not built for that architecture.
    """
    return _image(scope, construct_id, cpu_architecture, target=AUDIENCES)


def _image(
    scope: Construct,
    construct_id: str,
    cpu_architecture: ecs.CpuArchitecture,
    target: str | None = None,
) -> ecs.ContainerImage:
    asset = ecr_assets.DockerImageAsset(
        scope,
        construct_id,
        directory=str(_build_context(scope)),
        platform=_platform_of(scope, cpu_architecture),
        target=target,
    )
    return ecs.ContainerImage.from_docker_image_asset(asset)


def _platform_of(scope: Construct, cpu_architecture: ecs.CpuArchitecture) -> ecr_assets.Platform:
    # A CpuArchitecture shows its name to nobody but CloudFormation, so it is rendered as for CloudFormation.
    rendered: dict[str, Any] = Stack.of(scope).resolve(cpu_architecture)
    [name] = rendered.values()
    match name:
        case "ARM64":
            return ecr_assets.Platform.LINUX_ARM64
        case "X86_64":
            return ecr_assets.Platform.LINUX_AMD64
        case _:
            raise ValueError(f"cpu_architecture is {name}; the image is built for ARM64 and X86_64")


def _build_context(scope: Construct) -> Path:
    """Return the directory that the image is built from: `runtime/`, or one that is laid out like it.

    The latter is made in the cloud assembly and stays there, because it is the asset itself where staging is
    off (`cdk synth --no-staging`).
    """
    if not _IN_WHEEL.is_dir():
        return _IN_CHECKOUT
    context = Path(cast("Stage", Stage.of(scope)).asset_outdir) / "headgate-image"
    shutil.rmtree(context, ignore_errors=True)
    for root, there in ((_IN_WHEEL, context), (_HERE.parent / "headgate", context / "headgate")):
        for file in root.rglob("*"):
            if file.is_file() and file.suffix != ".pyc":
                copy = there / file.relative_to(root)
                copy.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(file, copy)
    return context
