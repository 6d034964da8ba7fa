"""The CDK command line as its user runs it, on an embedded AWS and environments of its own."""

import contextlib
import itertools
import json
import os
import shutil
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from demo.embedded_aws import EmbeddedAws
from demo.processes import running
from tests.acceptance.cdk_here import ROOT, WHOLE

SECONDS = 150
"""For one command; it takes a few on a machine that does nothing else."""


@dataclass(frozen=True)
class CdkCli:
    """`npx cdk` for one account and region, with copies of the checkout's environments."""

    aws: EmbeddedAws
    account: str
    region: str
    directory: Path
    _numbers: "itertools.count[int]" = field(default_factory=itertools.count)

    def __post_init__(self) -> None:
        shutil.copytree(
            ROOT / "environments", self.environments, ignore=lambda *_: ["model.py", "__pycache__"]
        )

    @property
    def environments(self) -> Path:
        return self.directory / "environments"

    def client(self, service: str) -> Any:
        """Return a boto3 client of the account's root."""
        return self.aws.client(service, self.aws.root(self.account), self.region)

    def __call__(self, command: str, *arguments: str, status: int = 0) -> str:
        """Run a command with the app of `cdk.json`; return what it wrote."""
        log = self.directory / f"cdk-{next(self._numbers)}.log"
        # Where cdk.json is.
        with (
            contextlib.chdir(ROOT),
            running(
                "cdk",
                ["npx", "--no-install", "cdk", command, "--output", self._assembly, *arguments],
                environment=self._variables,
                log=log,
            ) as child,
        ):
            ended = child.process.wait(SECONDS)
        said = log.read_text(encoding="utf-8")
        assert ended == status, said[-5_000:]
        return said

    def of(self, environment: str) -> list[str]:
        """The options that choose an environment."""
        context = (f"env={environment}", f"environments_dir={self.environments}")
        return [option for one in context for option in ("--context", one)]

    def here(self, command: str, environment: str, *arguments: str, status: int = 0) -> str:
        """Run a command with the app without what cannot be made here."""
        app = f"{ROOT / '.venv/bin/python'} {ROOT / 'tests/acceptance/cdk_here.py'}"
        return self(command, "--app", app, *self.of(environment), *arguments, status=status)

    def change(self, environment: str, *changes: tuple[str, str]) -> None:
        """Edit an environment, as its owner would."""
        file = self.environments / f"{environment}.toml"
        text = file.read_text(encoding="utf-8")
        for before, after in changes:
            assert text.count(before) == 1, before
            text = text.replace(before, after)
        file.write_text(text, encoding="utf-8")

    def whole(self, stack: str) -> dict[str, Any]:
        """What the app made of a stack at the last command `here`, with nothing taken out."""
        found: dict[str, Any] = json.loads((self._assembly / f"{stack}{WHOLE}").read_text(encoding="utf-8"))
        return found

    @property
    def _assembly(self) -> Path:
        return self.directory / "cdk.out"

    @property
    def _variables(self) -> dict[str, str]:
        return self.aws.environment(self.aws.root(self.account), self.region) | {
            "PATH": f"{ROOT / '.venv/bin'}:{os.environ['PATH']}",
            # It keeps what it knows of accounts in its home; this account is nobody else's.
            "CDK_HOME": str(self.directory / "cdk-home"),
            "CDK_VALIDATION": "false",
            "CI": "true",
            # ministack says of every image that it is there, so none is built: this would fail.
            "CDK_DOCKER": "/nonexistent",
        }
