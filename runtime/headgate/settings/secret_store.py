"""Settings from a secret in AWS Secrets Manager: its text is what `sources.toml` would be."""

import re
from functools import partial
from typing import Any

from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from botocore.parsers import ResponseParserError
from botocore.session import Session

from headgate.clients import client, own_region
from headgate.errors import AwsError, SettingsError, UsageError, one_line
from headgate.settings.schema import Source, read_toml
from headgate.settings.store import Version

SCHEME = "secretsmanager://"
INTERVAL_SECONDS = 10.0
"""Of each process: 260,000 calls a month, for which Secrets Manager bills 1.30 US dollars."""
MAX_BYTES = 65_536
"""The longest value of a secret (Secrets Manager quotas)."""

_NAME = re.compile(r"[A-Za-z0-9/_+=.@-]{1,512}")
_ARN = re.compile(r"arn:aws[a-z-]*:secretsmanager:([a-z0-9-]+):\d{12}:secret:[A-Za-z0-9/_+=.@-]{1,519}")
# Whoever sent an unknown write key waits for a look: both attempts end before SDKs give up.
_CONFIG = Config(connect_timeout=2, read_timeout=3, retries={"mode": "standard", "total_max_attempts": 2})


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
        self._session = session
        self._id = secret
        self._region = _region_of(session, secret)
        self._made: Any = None

    def latest(self) -> Version:
        """Return the version that has the label AWSCURRENT.

        Raises:
            AwsError: AWS refused, for want of the secret too, or did not answer within a few seconds.
        """
        try:
            answer = self._client().get_secret_value(SecretId=self._id)
        except ClientError as error:
            said = error.response.get("Error", {})
            reason = f"{said.get('Code', '')}: {one_line(said.get('Message', ''))}"
            raise AwsError(f"{self.name}: {reason}") from None
        except (BotoCoreError, ResponseParserError) as error:
            raise AwsError(f"{self.name}: {one_line(error)}") from None
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

    def _client(self) -> Any:
        """Return the one client: to make one takes longer than to call it."""
        if self._made is None:
            # A client made without credentials would never find any.
            if self._session.get_credentials() is None:
                raise AwsError(
                    f"{self.name}: no AWS credentials: give the task a role, or set AWS_PROFILE or "
                    "AWS_ACCESS_KEY_ID"
                )
            self._made = client(self._session, "secretsmanager", region_name=self._region, config=_CONFIG)
        return self._made


def _region_of(session: Session, secret: str) -> str:
    if (arn := _ARN.fullmatch(secret)) is not None:
        return arn[1]
    if not _NAME.fullmatch(secret):
        raise UsageError(
            f"--sources is {SCHEME + secret!r}; allowed after {SCHEME}: a secret's name, 1 to 512 characters "
            "of a-z A-Z 0-9 / _ + = . @ -, or its whole ARN"
        )
    try:
        region = own_region(session)
    except BotoCoreError as error:
        raise UsageError(one_line(error)) from None
    if region is None:
        raise UsageError(
            f"no region for {SCHEME}{secret}; set AWS_REGION or AWS_DEFAULT_REGION, or give the secret's ARN"
        )
    return region
