"""An AWS of one's own for a while: ministack, with IAM enforced, on a loopback port.

It needs nothing but `.tools/ministack`, which `make` sets up, and takes a second or two to start.
"""

import json
import os
import secrets
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
from botocore.config import Config

from demo.processes import DemoError, answer, free_port, running

ROOT = Path(__file__).resolve().parent.parent
_MINISTACK = ROOT / ".tools" / "ministack" / "bin" / "ministack"


@dataclass(frozen=True)
class Credentials:
    """An access key, of a user or of an account's root."""

    access_key_id: str
    secret_access_key: str
    session_token: str | None = None


@dataclass(frozen=True)
class EmbeddedAws:
    """A running embedded AWS. Every account and every region is there; nothing is in them."""

    endpoint_url: str

    def root(self, account_id: str) -> Credentials:
        """Return the credentials of an account's root user, who may do everything in it."""
        # To ministack an access key id of 12 digits is that account's root; it does not check its signature.
        return Credentials(account_id, "unchecked")

    def user(self, account_id: str, name: str, *, action: str | list[str], resource: str) -> Credentials:
        """Make a user who may do `action` on `resource` and nothing else; return their access key."""
        statement = {"Effect": "Allow", "Action": action, "Resource": resource}
        return self.user_with(account_id, name, [statement])

    def user_with(self, account_id: str, name: str, statements: Sequence[Mapping[str, Any]]) -> Credentials:
        """Make a user with a policy of these statements; return their access key."""
        iam = self.client("iam", self.root(account_id))
        iam.create_user(UserName=name)
        iam.put_user_policy(
            UserName=name,
            PolicyName=name,
            PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": statements}),
        )
        key = iam.create_access_key(UserName=name)["AccessKey"]
        return Credentials(key["AccessKeyId"], key["SecretAccessKey"])

    def client(self, service: str, credentials: Credentials, region: str = "us-east-1") -> Any:
        """Return a boto3 client for one of its services."""
        return boto3.client(  # type: ignore[call-overload]
            service,
            region_name=region,
            endpoint_url=self.endpoint_url,
            aws_access_key_id=credentials.access_key_id,
            aws_secret_access_key=credentials.secret_access_key,
            aws_session_token=credentials.session_token,
            config=Config(proxies={}),
        )

    def environment(self, credentials: Credentials, region: str) -> dict[str, str]:
        """Return environment variables under which any AWS tool uses it, with these credentials."""
        variables = {
            "AWS_ENDPOINT_URL": self.endpoint_url,
            "AWS_REGION": region,
            "AWS_ACCESS_KEY_ID": credentials.access_key_id,
            "AWS_SECRET_ACCESS_KEY": credentials.secret_access_key,
        }
        if credentials.session_token:
            variables["AWS_SESSION_TOKEN"] = credentials.session_token
        return dict(os.environ) | variables


@contextmanager
def embedded_aws(directory: Path, *, enforces_iam: bool = True) -> Iterator[EmbeddedAws]:
    """Start an embedded AWS and stop it at the end of the block, however that comes.

    Inside the block the user's own AWS settings and proxies are out of this process's environment.

    Args:
        directory: an existing directory for its log and its temporary files.
        enforces_iam: whether it asks policies. The roles of `cdk bootstrap` do not pass its judgement.

    Raises:
        DemoError: it is not set up, or does not start.
    """
    if not _MINISTACK.exists():
        raise DemoError("ministack is not set up; run: make .tools/ministack/.ready")
    with _surroundings_shut_out(), _started(directory, enforces_iam) as aws:
        yield aws


@contextmanager
def _started(directory: Path, enforces_iam: bool, attempts: int = 3) -> Iterator[EmbeddedAws]:
    port, mark = free_port(), secrets.token_hex(8)
    # Nothing of the user's environment but PATH: ministack listens to many variables of general names.
    environment = {
        "PATH": os.environ.get("PATH", os.defpath),
        "TMPDIR": str(directory),
        "AUTH": str(enforces_iam).lower(),
        "BIND_HOST": "127.0.0.1",
        "GATEWAY_PORT": str(port),
        # It listens on fixed ports for these two, and asks Docker for left-over containers, if one lets it.
        "IOT_MTLS_ENABLED": "0",
        "SFTP_ENABLED": "0",
        "DOCKER_HOST": "unix:///nonexistent",
        "LOG_LEVEL": "WARNING",
        # Only a text of free choice in its health answer; it tells our process from another on the same port.
        "MINISTACK_EDITION": mark,
    }

    def is_ours() -> bool:
        health = json.loads(answer(f"http://127.0.0.1:{port}/_ministack/health") or "{}")
        return bool(health.get("edition") == mark and (health.get("auth") == "enabled") == enforces_iam)

    log = directory / "ministack.log"
    with running("ministack", [_MINISTACK], environment=environment, log=log) as child:
        try:
            child.wait_until(is_ours, 30)
        except DemoError:
            lost_the_port = child.process.poll() is not None and attempts > 1
            if not lost_the_port:
                raise
        else:
            yield EmbeddedAws(f"http://127.0.0.1:{port}")
            return
    with _started(directory, enforces_iam, attempts - 1) as aws:
        yield aws


@contextmanager
def _surroundings_shut_out() -> Iterator[None]:
    changes: dict[str, str | None] = {name: None for name in os.environ if name.startswith("AWS_")} | {
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "AWS_EC2_METADATA_DISABLED": "true",
        "NO_PROXY": "127.0.0.1",
        "no_proxy": "127.0.0.1",
    }
    before = {name: os.environ.get(name) for name in changes}
    _change_environment(changes)
    try:
        yield
    finally:
        _change_environment(before)


def _change_environment(changes: Mapping[str, str | None]) -> None:
    for name, value in changes.items():
        if value is None:
            os.environ.pop(name, None)
        else:
            os.environ[name] = value
