"""One embedded AWS, the app's stack in it and a forwarder, for all acceptance tests of a session."""

import itertools
from collections.abc import Iterator
from contextlib import AbstractContextManager
from pathlib import Path

import pytest

from demo.embedded_aws import embedded_aws
from demo.forwarder import forwarder, source_toml
from demo.processes import Child
from demo.stack import deploy, synthesize
from demo.story import OWNER, READ, REGION, SOURCE_ID, STREAM_NAME, TRUSTED
from tests.acceptance.one_by_one import OneByOne, flowing
from tests.acceptance.world import WRITE_KEY, Serve, World


@pytest.fixture(scope="session")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    directory = tmp_path_factory.mktemp("world")
    with embedded_aws(directory) as aws:
        template = synthesize(
            directory, region=REGION, stream_name=STREAM_NAME, source_id=SOURCE_ID, trusted_account=TRUSTED
        )
        outputs = deploy(aws, OWNER, REGION, template)
        yield World(
            aws=aws,
            outputs=outputs,
            caller=aws.user(TRUSTED, "forwarder", action="sts:AssumeRole", resource="*"),
            reader=aws.user(OWNER, "reader", action=READ, resource="*"),
            directory=directory,
        )


@pytest.fixture(scope="session")
def serving(world: World) -> Iterator[str]:
    """The URL of a forwarder that delivers into the app's stack."""
    sources = world.directory / "sources.toml"
    sources.write_text(source_toml(SOURCE_ID, "Website", WRITE_KEY, world.outputs), encoding="utf-8")
    log = world.directory / "serve.log"
    with forwarder(sources, environment=world.caller_environment, log=log) as (url, _):
        yield url


@pytest.fixture(scope="session")
def one_by_one(world: World, tmp_path_factory: pytest.TempPathFactory) -> Iterator[OneByOne]:
    """Events that flow on while other tests run, under a policy that had PutRecord alone at first."""
    with flowing(world, tmp_path_factory.mktemp("one-by-one")) as events:
        yield events


@pytest.fixture
def serve(world: World, tmp_path: Path) -> Serve:
    """Start a forwarder of one's own for the text of a `sources.toml`."""
    numbers = itertools.count()

    def start(text: str) -> AbstractContextManager[tuple[str, Child]]:
        sources = tmp_path / f"sources-{next(numbers)}.toml"
        sources.write_text(text, encoding="utf-8")
        return forwarder(sources, environment=world.caller_environment, log=sources.with_suffix(".log"))

    return start
