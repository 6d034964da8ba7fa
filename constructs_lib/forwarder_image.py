"""Temporary."""

from pathlib import Path

from aws_cdk import aws_ecr_assets as ecr_assets
from aws_cdk import aws_ecs as ecs
from constructs import Construct


def forwarder_image(
    scope: Construct, construct_id: str, *, cpu_architecture: ecs.CpuArchitecture
) -> ecs.ContainerImage:
    """Temporary."""
    platform = ecr_assets.Platform.LINUX_ARM64
    return ecs.ContainerImage.from_docker_image_asset(
        ecr_assets.DockerImageAsset(
            scope, construct_id, directory=str(Path(__file__).parents[1] / "runtime"), platform=platform
        )
    )
