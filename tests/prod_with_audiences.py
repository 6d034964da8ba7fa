"""The environment prod with the audiences that its file has as an example, and the stacks of it."""

import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import aws_cdk as cdk
from aws_cdk.assertions import Template

from environments import Environment
from environments.loader import DIRECTORY
from headgate.settings.strict_toml import decode
from stacks.audience import AudienceStack
from stacks.forwarder import ForwarderStack
from stacks.stream import StreamStack
from tests.constructs_lib.conftest import FLAGS

REGION = "us-west-2"


def prod_with_audiences() -> str:
    """The text of prod.toml once its reader has done as its last comment says."""
    text = (DIRECTORY / "prod.toml").read_text(encoding="utf-8")
    before, mark, example = text.partition("#\n# [[audiences]]\n")
    assert mark
    return before + re.sub(r"^# ?", "", mark + example, flags=re.MULTILINE)


def environments_with_audiences(directory: Path) -> Path:
    """Return a directory of environments that has that file, as `prod-with-audiences.toml`."""
    (directory / "prod-with-audiences.toml").write_text(prod_with_audiences(), encoding="utf-8")
    return directory


@dataclass(frozen=True)
class Stacks:
    """The stacks of one environment, and their templates."""

    stream: StreamStack
    forwarder: ForwarderStack
    audiences: AudienceStack

    def template(self, of: cdk.Stack) -> dict[str, Any]:
        found: dict[str, Any] = Template.from_stack(of).to_json()
        return found


@cache
def stacks(name: str, text: str) -> Stacks:
    """What `app.py` makes of an environment."""
    environment = decode(text, Environment, where=name)
    assert environment.forwarder is not None
    app, target = cdk.App(context=FLAGS), cdk.Environment(region=REGION)
    stream = StreamStack(app, f"headgate-{name}-stream", environment=environment, env=target)
    forwarder = ForwarderStack(
        app,
        f"headgate-{name}-forwarder",
        name=name,
        settings=environment.forwarder,
        event_stream=stream.event_stream,
        audiences=environment.audiences,
        env=target,
    )
    audiences = AudienceStack(
        app,
        f"headgate-{name}-audiences",
        name=name,
        audiences=environment.audiences,
        settings=environment.forwarder,
        beside=forwarder,
        env=target,
    )
    return Stacks(stream, forwarder, audiences)
