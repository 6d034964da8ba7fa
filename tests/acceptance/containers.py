"""Docker or Podman, whichever works on this machine, and containers that are gone when their block ends."""

import ast
import json
import os
import platform
import re
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
RUNTIME = ROOT / "runtime"
[BASE] = set(re.findall(r"^FROM (?:--\S+ )?(\S+:\S+)", (RUNTIME / "Dockerfile").read_text(), re.MULTILINE))
"""The image that the forwarder's is built on."""
STORE = ROOT / ".tools" / "base-image"
"""Podman's images and settings, for the tests alone: a base that was made must not pass for the real one."""
ARCHITECTURES = {"amd64": "x86_64", "arm64": "aarch64"}
"""Docker's names of the architectures that the image is built for, and the machine's own names."""
ARCHITECTURE = {machine: name for name, machine in ARCHITECTURES.items()}.get(platform.machine())

# crun wants to raise limits, which a machine that is itself contained may not; runc takes these.
_CONTAINERS_CONF = """\
[containers]
default_ulimits = ["nofile=1024:1024", "nproc=1024:1024"]
[engine]
cgroup_manager = "cgroupfs"
events_logger = "file"
"""
_RUNC = 'runtime = "runc"\n'
_STORAGE_CONF = """\
[storage]
driver = "overlay"
graphroot = "{0}/storage"
runroot = "{0}/run"
"""


class EngineError(Exception):
    """A command of the engine failed; the last lines that it wrote."""


class NoEngineError(Exception):
    """There is none that has the base image; why, in one line."""


@dataclass(frozen=True)
class Engine:
    """A program that builds and runs images."""

    program: str
    environment: Mapping[str, str] = field(repr=False)
    build_options: Sequence[str] = ()
    run_options: Sequence[str] = ()

    def __call__(self, *arguments: str | Path, seconds: float = 60) -> str:
        """Return what a command wrote to standard output.

        Raises:
            EngineError: it failed.
        """
        done = self.ask(*arguments, seconds=seconds)
        if done.returncode:
            said = "\n".join(done.stderr.strip().splitlines()[-12:])
            raise EngineError(f"{self.program} {arguments[0]} ended with status {done.returncode}: {said}")
        return done.stdout

    def ask(self, *arguments: str | Path, seconds: float = 60) -> subprocess.CompletedProcess[str]:
        """Return how a command ended, whether it failed or not."""
        command = [self.program, *arguments]
        # What it starts and leaves behind, Podman's monitor, must not hold the pipes open.
        return subprocess.run(
            command,
            env=dict(self.environment),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=seconds,
        )

    def has(self, image: str) -> bool:
        """Return whether an image is here."""
        return self.ask("image", "inspect", image).returncode == 0

    def inspect(self, name: str, kind: str = "container") -> dict[str, Any]:
        """Return all that it says of a container or an image."""
        [said] = json.loads(self(kind, "inspect", name))
        return dict(said)

    def build(self, context: Path, tag: str, directory: Path, *options: str) -> None:
        """Build an image, getting packages as pip gets them on this machine.

        Args:
            context: what it is built from.
            tag: what it is called.
            directory: where pip's settings for the build go.
            options: more of the engine's own.
        """
        secrets = [f"--secret=id={name},src={path}" for name, path in _pip_secrets(directory).items()]
        self("build", "--tag", tag, *self.build_options, *secrets, *options, context, seconds=240)

    @contextmanager
    def container(
        self,
        image: str,
        *arguments: str,
        settings: Path,
        options: Sequence[str] = (),
        environment: Mapping[str, str] | None = None,
    ) -> Iterator["Container"]:
        """Run an image as ECS does, with no right and nothing to write to, for as long as the block lasts.

        Args:
            image: its name.
            arguments: instead of the image's own.
            settings: a directory that it sees as /etc/headgate.
            options: more of the engine's own.
            environment: variables in it.
        """
        settings.chmod(0o755)
        for file in settings.iterdir():
            file.chmod(0o644)
        variables = [f"--env={name}={value}" for name, value in (environment or {}).items()]
        started = self(
            "run", "--detach", "--read-only", "--cap-drop=ALL", "--security-opt=no-new-privileges",
            "--memory=256m", f"--volume={settings}:/etc/headgate:ro", "--no-healthcheck",
            *self.run_options, *variables, *options, image, *arguments,
        )  # fmt: skip
        container = Container(self, started.strip())
        try:
            yield container
        finally:
            self.ask("kill", container.name)
            self.ask("rm", "--force", container.name)


@dataclass(frozen=True)
class Container:
    """One that runs, or has run."""

    engine: Engine
    name: str

    def execute(self, *command: str) -> subprocess.CompletedProcess[str]:
        """Return how a command in it ended."""
        return self.engine.ask("exec", self.name, *command)

    def health(self, *port: str) -> str:
        """Return what the image's health check finds wrong, at its own port or another; empty for nothing."""
        done = self.execute("python3", "-m", "headgate.health", *port)
        assert (done.returncode == 0) is (done.stderr == ""), done
        return done.stderr

    def wait_until(self, ready: Callable[[], bool], seconds: float = 30) -> None:
        """Return once `ready()` is true.

        Raises:
            AssertionError: it was not in time, or the container ended; with all that it wrote.
        """
        deadline = time.monotonic() + seconds
        while not ready():
            assert self.state()["Status"] not in ("exited", "stopped", "dead"), self.log()
            assert time.monotonic() < deadline, self.log()
            time.sleep(0.05)

    def log(self) -> str:
        """Return all that it has written."""
        done = self.engine.ask("logs", self.name)
        return done.stdout + done.stderr

    def state(self) -> dict[str, Any]:
        """Return whether it runs, and the status that it ended with."""
        return dict(self.engine.inspect(self.name)["State"])


def engines() -> list[Engine]:
    """Return those that work on this machine."""
    found = []
    docker = Engine("docker", os.environ | {"DOCKER_BUILDKIT": "1"})
    if (
        shutil.which("docker")
        and not docker.ask("info").returncode
        and not docker.ask("buildx", "version").returncode
    ):
        found.append(docker)
    if shutil.which("podman") and ARCHITECTURE:
        podman = Engine(
            "podman",
            os.environ | _own_store(),
            # BUILDPLATFORM is BuildKit's, and Buildah has had it only for a while.
            build_options=(
                "--format=docker",
                "--network=host",
                f"--build-arg=BUILDPLATFORM=linux/{ARCHITECTURE}",
            ),
            run_options=("--read-only-tmpfs=false",),
        )
        if not podman.ask("info").returncode:
            found.append(podman)
    return found


def engine_with_base() -> Engine:
    """Return the first that has the base image.

    Raises:
        NoEngineError: there is none.
    """
    working = engines()
    if not working:
        raise NoEngineError("neither docker nor podman works on this machine")
    for engine in working:
        if engine.has(BASE):
            return engine
    names = " and ".join(engine.program for engine in working)
    raise NoEngineError(f"{names} have no image {BASE}; see what `make .tools/base-image/.ready` says")


def _own_store() -> dict[str, str]:
    STORE.mkdir(parents=True, exist_ok=True)
    containers, storage = STORE / "containers.conf", STORE / "storage.conf"
    containers.write_text(_CONTAINERS_CONF + (_RUNC if shutil.which("runc") else ""))
    storage.write_text(_STORAGE_CONF.format(STORE))
    return {"CONTAINERS_CONF": str(containers), "CONTAINERS_STORAGE_CONF": str(storage)}


def _pip_secrets(directory: Path) -> dict[str, Path]:
    """Return the files that tell pip in a build what this machine's pip knows, by the secrets' names."""
    secrets: dict[str, Path] = {}
    pip = [ROOT / ".tools" / "uv" / "bin" / "python", "-m", "pip", "config", "list"]
    said = subprocess.run(pip, capture_output=True, text=True, check=True).stdout
    # Later lines come from where pip looks last, so they count.
    known = {
        key.rpartition(".")[2]: ast.literal_eval(value)
        for key, value in (line.split("=", 1) for line in said.splitlines())
    }
    lines = [
        f"{key} = {known[key]}"
        for key in ("index-url", "extra-index-url", "trusted-host", "proxy")
        if key in known
    ]
    trusted = known.get("cert") or os.environ.get("SSL_CERT_FILE")
    if trusted:
        secrets["ca"] = Path(trusted)
        lines.append("cert = /run/ca.pem")
    secrets["pip"] = directory / "pip.conf"
    secrets["pip"].write_text("\n".join(["[global]", *lines, ""]))
    return secrets
