"""An AWS service as a store of settings uses it: one client, and its faults in one line."""

import os
import re
from typing import Any

from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from botocore.parsers import ResponseParserError
from botocore.session import Session

from headgate.clients import client, code_of, own_region
from headgate.errors import AwsError, UsageError, one_line

# Whoever sent an unknown write key waits for a look: both attempts end before SDKs give up.
CONFIG = Config(connect_timeout=2, read_timeout=3, retries={"mode": "standard", "total_max_attempts": 2})


class Refused(AwsError):  # noqa: N818  # an answer
    """A service answered, and what it answered is no result."""

    def __init__(self, text: str, error: ClientError) -> None:
        super().__init__(text)
        self.code = code_of(error)
        self.response: Any = error.response


class AwsService:
    """Calls one service.

    Args:
        session: its credentials and its endpoint are used.
        service: as botocore calls it.
        region: where.
        about: what errors begin with.
        config: of the client.
    """

    def __init__(
        self, session: Session, service: str, *, region: str | None, about: str, config: Config = CONFIG
    ) -> None:
        self._session = session
        self._service = service
        self._region = region
        self._about = about
        self._config = config
        self._made: tuple[int, Any] | None = None

    def call(self, operation: str, **members: Any) -> dict[str, Any]:
        """Return the answer to a call, named as botocore's client names it. It may block for seconds.

        Raises:
            Refused: AWS refused it.
            AwsError: it could not be asked, or there are no credentials.
        """
        try:
            answer: dict[str, Any] = getattr(self._client(), operation)(**members)
        except ClientError as error:
            said = error.response.get("Error", {})
            reason = f"{code_of(error)}: {one_line(said.get('Message', ''))}"
            raise Refused(f"{self._about}: {reason}", error) from None
        except (BotoCoreError, ResponseParserError) as error:
            raise AwsError(f"{self._about}: {one_line(error)}") from None
        return answer

    def _client(self) -> Any:
        """Return the one client of this process: to make one takes longer than to call it.

        A worker that was forked makes its own: two processes must not share a connection.
        """
        if self._made is None or self._made[0] != os.getpid():
            # A client made without credentials would never find any.
            if self._session.get_credentials() is None:
                raise AwsError(
                    f"{self._about}: no AWS credentials: give the task a role, or set AWS_PROFILE or "
                    "AWS_ACCESS_KEY_ID"
                )
            self._made = (
                os.getpid(),
                client(self._session, self._service, region_name=self._region, config=self._config),
            )
        return self._made[1]


def region_of(session: Session, location: str, arn: re.Match[str] | None) -> str:
    """Return the region of what is named at a location: its ARN's, or that of the process.

    Args:
        session: of the process.
        location: for the error.
        arn: a match of its ARN, whose first group is the region; None where it has a name alone.

    Raises:
        UsageError: no region is known.
    """
    if arn is not None:
        return arn[1]
    try:
        region = own_region(session)
    except BotoCoreError as error:
        raise UsageError(one_line(error)) from None
    if region is None:
        raise UsageError(f"no region for {location}; set AWS_REGION or AWS_DEFAULT_REGION, or give the ARN")
    return region
