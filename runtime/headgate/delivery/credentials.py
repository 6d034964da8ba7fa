"""Credentials per destination: the task's own, or those of the role assumed under its External ID."""

import asyncio
import random
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, cast

from botocore.config import Config
from botocore.credentials import ReadOnlyCredentials
from botocore.exceptions import BotoCoreError, ClientError
from botocore.parsers import ResponseParserError
from botocore.session import Session

from headgate.clients import client, code_of
from headgate.delivery.assuming import assume_role
from headgate.delivery.wire.faults import DENIED, Fault, Verdict
from headgate.threads import in_thread

if TYPE_CHECKING:
    from mypy_boto3_sts import STSClient

_REFUSED = DENIED | {"ValidationError", "RegionDisabledException"}
_NO_CREDENTIALS = Fault(
    Verdict.PAUSE,
    "NoCredentials",
    "no AWS credentials: give the task a role, or set AWS_PROFILE or AWS_ACCESS_KEY_ID",
    sent=False,
)
_STS_CONNECTIONS = 50
_EARLY = 0.2
"""Share of the lifetime that is left when new credentials are fetched, give or take a little."""
_PATIENCE_SECONDS = 1.0
"""How long a request waits for new credentials while it could go out with the old ones."""
_AGAIN_SECONDS = 30.0
"""After STS had trouble, the time for which what is still good serves on without asking."""


class CredentialsFault(Exception):  # noqa: N818  # carries a Fault
    """No credentials are to be had now."""

    def __init__(self, fault: Fault) -> None:
        super().__init__(f"{fault.code}: {fault.message}")
        self.fault = fault


@dataclass(frozen=True, slots=True)
class Grant:
    """Whose credentials are wanted; equal grants share them."""

    role_address: str | None
    external_id: str
    region: str


@dataclass(slots=True)
class _Held:
    credentials: ReadOnlyCredentials
    fetched_at: float
    renew_at: float
    expires_at: float


class CredentialsCache:
    """Credentials by (role, External ID, region): fetched once at a time, renewed before they end."""

    def __init__(
        self,
        session: Session,
        now: Callable[[], float] = time.time,
        spread: Callable[[], float] = random.random,
    ) -> None:
        self._session = session
        self._now = now
        self._spread = spread
        self._clients: dict[str, STSClient] = {}
        self._held: dict[Grant, _Held] = {}
        self._fetching: dict[Grant, asyncio.Task[_Held]] = {}

    async def get(self, grant: Grant) -> ReadOnlyCredentials:
        """Return credentials that are good now.

        Raises:
            CredentialsFault: STS refused, there are none, or STS cannot be reached.
        """
        held = self._held.get(grant)
        now = self._now()
        if held is not None and now < held.renew_at:
            return held.credentials
        if held is None or now >= held.expires_at:
            return (await self._fetch_once(grant)).credentials
        # What is still good serves on while STS has trouble; a refusal is an answer.
        try:
            async with asyncio.timeout(_PATIENCE_SECONDS):
                return (await self._fetch_once(grant)).credentials
        except TimeoutError:
            pass
        except CredentialsFault as error:
            if error.fault.verdict is Verdict.PAUSE:
                raise
        held.renew_at = min(now + _AGAIN_SECONDS, held.expires_at)
        return held.credentials

    def forget(self, grant: Grant, refused: ReadOnlyCredentials) -> None:
        """Drop credentials that Kinesis refused, unless newer ones have taken their place."""
        held = self._held.get(grant)
        if held is not None and held.credentials == refused:
            del self._held[grant]

    def age(self, grant: Grant) -> float:
        """Return how many seconds ago what is held was fetched; 0 where nothing is."""
        held = self._held.get(grant)
        return self._now() - held.fetched_at if held is not None else 0.0

    async def _fetch_once(self, grant: Grant) -> _Held:
        task = self._fetching.get(grant)
        if task is None:
            task = asyncio.create_task(self._fetch_and_hold(grant))
            self._fetching[grant] = task
            task.add_done_callback(partial(self._fetched, grant))
        return await asyncio.shield(task)

    async def _fetch_and_hold(self, grant: Grant) -> _Held:
        held = self._held[grant] = await in_thread(partial(self._fetch, grant))
        return held

    def _fetched(self, grant: Grant, task: "asyncio.Task[_Held]") -> None:
        self._fetching.pop(grant, None)
        if not task.cancelled():
            task.exception()  # looked at, since there may be nobody left who waits for it

    def _fetch(self, grant: Grant) -> _Held:
        try:
            if grant.role_address is None:
                return self._own()
            return self._assumed(grant, grant.role_address)
        except ClientError as error:
            code = code_of(error)
            message = f"assuming {grant.role_address}: {error.response.get('Error', {}).get('Message', '')}"
            if code in _REFUSED:
                # STS names a missing role, an untrusted caller and a wrong External ID alike.
                raise CredentialsFault(
                    Fault(Verdict.PAUSE, "AssumeRoleDenied", message, sent=False)
                ) from None
            raise CredentialsFault(Fault(Verdict.RETRY, code, message, sent=False)) from None
        except (BotoCoreError, ResponseParserError) as error:
            raise CredentialsFault(
                Fault(Verdict.RETRY, type(error).__name__, " ".join(str(error).split()))
            ) from None

    def _sts(self, region: str) -> "STSClient":
        """Return the region's client, which any thread may use: to make one takes longer than to call it."""
        if region not in self._clients:
            # A client made without credentials would never find any.
            if self._session.get_credentials() is None:
                raise CredentialsFault(_NO_CREDENTIALS)
            config = Config(
                connect_timeout=3,
                read_timeout=5,
                retries={"mode": "standard", "max_attempts": 3},
                max_pool_connections=_STS_CONNECTIONS,
            )
            made = client(self._session, "sts", region_name=region, config=config)
            self._clients[region] = cast("STSClient", made)
        return self._clients[region]

    def _own(self) -> _Held:
        credentials = self._session.get_credentials()
        if credentials is None:
            raise CredentialsFault(_NO_CREDENTIALS)
        # botocore renews these itself; asking it again now and then is cheap.
        now = self._now()
        return _Held(credentials.get_frozen_credentials(), now, now + 60, now + 120)

    def _assumed(self, grant: Grant, role: str) -> _Held:
        credentials, expires = assume_role(self._sts(grant.region), role, grant.external_id)
        now = self._now()
        left = max(expires - now, 0)
        return _Held(
            credentials,
            fetched_at=now,
            renew_at=now + left * (1 - _EARLY - 0.05 * self._spread()),
            expires_at=expires,
        )
