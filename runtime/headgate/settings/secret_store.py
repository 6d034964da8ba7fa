"""Settings from a secret in AWS Secrets Manager: its text is what `sources.toml` would be."""

import re
from functools import partial
from typing import Any

from botocore.session import Session

from headgate.errors import AwsError, SettingsError, UsageError
from headgate.settings.aws_service import AwsService, region_of
from headgate.settings.schema import Source, read_toml
from headgate.settings.store import Version

SCHEME = "secretsmanager://"
INTERVAL_SECONDS = 10.0
"""Of each process: 260,000 calls a month, for which Secrets Manager bills 1.30 US dollars."""
MAX_BYTES = 65_536
"""The longest value of a secret (Secrets Manager quotas)."""

_NAME = re.compile(r"[A-Za-z0-9/_+=.@-]{1,512}")
_ARN = re.compile(r"arn:aws[a-z-]*:secretsmanager:([a-z0-9-]+):\d{12}:secret:[A-Za-z0-9/_+=.@-]{1,519}")


class SecretStore:
    """The current version of a secret. It needs secretsmanager:GetSecretValue, and nothing else.

    Args:
        session: its credentials and its endpoint are used; its region where the secret's own is not told.
        secret: the secret's name, or its whole ARN, which names its region.

    Raises:
        UsageError: `secret` is neither, or no region is known.
    """

    def __init__(self, session: Session, secret: str) -> None:
        self.name = SCHEME + secret
        self.interval = INTERVAL_SECONDS
        self._id = secret
        self._service = AwsService(
            session, "secretsmanager", region=_region_of(session, secret), about=self.name
        )

    def latest(self) -> Version:
        """Return the version that has the label AWSCURRENT.

        Raises:
            AwsError: AWS refused, for want of the secret too, or did not answer within a few seconds.
        """
        answer = self._service.call("get_secret_value", SecretId=self._id)
        if "VersionId" not in answer:
            raise AwsError(f"{self.name}: the answer has no VersionId, so it is none of Secrets Manager's")
        return Version(answer["VersionId"], partial(self._sources, answer))

    def _sources(self, answer: dict[str, Any]) -> dict[str, Source]:
        text = answer.get("SecretString")
        if text is None:
            raise SettingsError(f"{self.name}: the secret is binary; allowed: TOML, as its text")
        if (size := len(text.encode())) > MAX_BYTES:
            raise SettingsError(f"{self.name}: the secret has {size:,} bytes; allowed: {MAX_BYTES:,}")
        return read_toml(text, where=self.name)


def _region_of(session: Session, secret: str) -> str:
    arn = _ARN.fullmatch(secret)
    if arn is None and not _NAME.fullmatch(secret):
        raise UsageError(
            f"--sources is {SCHEME + secret!r}; allowed after {SCHEME}: a secret's name, 1 to 512 characters "
            "of a-z A-Z 0-9 / _ + = . @ -, or its whole ARN"
        )
    return region_of(session, SCHEME + secret, arn)
