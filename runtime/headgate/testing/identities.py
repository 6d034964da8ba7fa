"""Who may call: access keys, roles with their External IDs, temporary credentials, scripted simulations."""

import re
import secrets
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, replace
from threading import RLock
from typing import Literal

import msgspec

from headgate.testing.refusals import Refusal
from headgate.testing.requests import OperationName, known

Decision = Literal["allowed", "implicitDeny", "explicitDeny"]

DEFAULT_LIFETIME = 3600
"""Seconds that temporary credentials live unless asked otherwise (STS API reference)."""

_CREDENTIAL = re.compile(
    r"AWS4-HMAC-SHA256 .*?"
    r"Credential=(?P<key>[^/,\s]+)/\d{8}/(?P<region>[^/]+)/(?P<service>[^/]+)/aws4_request\b"
)


@dataclass(frozen=True, slots=True)
class Signature:
    """What an Authorization header claims."""

    access_key: str
    token: str | None
    """The session token that came with it."""
    region: str


@dataclass(frozen=True, slots=True)
class TemporaryCredentials:
    """What AssumeRole gave out."""

    access_key: str
    secret_key: str
    session_token: str
    role: str
    external_id: str | None
    """The External ID that came with the request."""
    session_name: str
    expires_at: float

    @property
    def arn(self) -> str:
        """Of the session, as IAM names it."""
        account, name = self.role.split(":")[4], self.role.rpartition("/")[2]
        return f"arn:aws:sts::{account}:assumed-role/{name}/{self.session_name}"


@dataclass(frozen=True, slots=True)
class _Role:
    external_ids: frozenset[str] | None
    actions: frozenset[str] | None
    trusts: bool = True


class Simulated(msgspec.Struct, frozen=True):
    """The scripted answer of SimulatePrincipalPolicy for one action."""

    decision: Decision = "allowed"
    missing_context_values: tuple[str, ...] = ()


def read_signature(authorization: str | None, token: str | None, service: str) -> Signature:
    """Return what an Authorization header claims; the signature itself is not checked.

    Args:
        authorization: the header.
        token: the header X-Amz-Security-Token.
        service: whom the request is for.

    Raises:
        Refusal: it is missing, of another form, or for another service.
    """
    if not authorization:
        raise Refusal("MissingAuthenticationTokenException", "Missing Authentication Token")
    found = _CREDENTIAL.match(authorization)
    if found is None or "Signature=" not in authorization:
        raise Refusal(
            "IncompleteSignatureException", "Authorization header requires 'Credential' and 'Signature'."
        )
    if found["service"] != service:
        raise Refusal(
            "InvalidSignatureException", f"Credential should be scoped to correct service: '{service}'."
        )
    return Signature(found["key"], token, found["region"])


class Identities:
    """Keys and roles. Every method may be called from any thread while the fake serves.

    As long as no role is added, any access key may do anything and any role may be assumed. Once one is,
    Kinesis admits the temporary credentials of roles and the keys given to `allow_key`, and no others.
    """

    def __init__(self, *, account: str, clock: Callable[[], float], lock: RLock) -> None:
        self._account = account
        self._clock = clock
        self._lock = lock
        self.clear()

    # Scripted by tests.

    lifetime: float | None
    """Seconds that temporary credentials live from now on, whatever is asked; None for what is asked."""

    def clear(self) -> None:
        """Forget all roles, keys and scripts."""
        with self._lock:
            self._roles: dict[str, _Role] = {}
            self._keys: dict[str, frozenset[str] | None] = {}
            self._given: dict[str, TemporaryCredentials] = {}
            self._simulated: dict[str, Simulated] | None = None
            self._denied: frozenset[str] = frozenset()
            self.lifetime = None

    def add_role(
        self,
        arn: str,
        *,
        external_ids: Collection[str] | None = None,
        actions: Collection[OperationName] | None = None,
    ) -> None:
        """Add a role, or change one.

        Args:
            arn: the Role Address.
            external_ids: the External IDs that it accepts; None if it asks for none.
            actions: operations of Kinesis that it may call, such as PutRecords; None for all.
        """
        if isinstance(external_ids, str):
            raise TypeError(f"give a collection of External IDs, not the one string {external_ids!r}")
        with self._lock:
            self._roles[arn] = _Role(
                None if external_ids is None else frozenset(external_ids),
                None if actions is None else known(actions),
            )

    def distrust(self, arn: str) -> None:
        """Have a role refuse everybody; credentials that it gave out stay good."""
        self._trust(arn, trusts=False)

    def trust(self, arn: str) -> None:
        """Have a role accept its External IDs again."""
        self._trust(arn, trusts=True)

    def deny(self, *operations: OperationName) -> None:
        """Deny operations of Kinesis to everybody, in addition to those that are."""
        with self._lock:
            self._denied |= known(operations)

    def allow(self, *operations: OperationName) -> None:
        """Deny operations no longer; a role that lacks them still may not call them."""
        with self._lock:
            self._denied -= known(operations)

    def allow_key(self, access_key: str, *, actions: Collection[OperationName] | None = None) -> None:
        """Have Kinesis admit a long-term access key, for some operations or for all."""
        with self._lock:
            self._keys[access_key] = None if actions is None else known(actions)

    def expire_tokens(self) -> None:
        """Expire all temporary credentials that were given out until now."""
        with self._lock:
            now = self._clock()
            self._given = {
                key: replace(given, expires_at=min(given.expires_at, now))
                for key, given in self._given.items()
            }

    def simulate(self, decisions: Mapping[str, Simulated | Decision] | None) -> None:
        """Script SimulatePrincipalPolicy.

        Args:
            decisions: by action, such as `kinesis:PutRecords`; one that is not named is implicitDeny.
                None for AccessDenied, as it is to begin with.
        """
        with self._lock:
            self._simulated = (
                None
                if decisions is None
                else {
                    action: one if isinstance(one, Simulated) else Simulated(one)
                    for action, one in decisions.items()
                }
            )

    @property
    def given(self) -> list[TemporaryCredentials]:
        """The temporary credentials that AssumeRole gave out, in order."""
        with self._lock:
            return list(self._given.values())

    # Asked by the fake.

    def admit(self, signature: Signature, operation: str, resource: str) -> None:
        """Let a request to Kinesis pass.

        Raises:
            Refusal: its credentials have expired, are unknown, or do not allow the operation.
        """
        with self._lock:
            given = self._known(signature)
            if given is not None:
                role = self._roles.get(given.role)
                actions = None if role is None else role.actions
            else:
                actions = self._keys.get(signature.access_key, frozenset()) if self._roles else None
            denied = operation in self._denied or (actions is not None and operation not in actions)
        if denied:
            raise Refusal(
                "AccessDeniedException",
                f"User: {self._caller(signature.access_key, given)} is not authorized to perform: "
                f"kinesis:{operation} on resource: {resource} because no identity-based policy allows the "
                f"kinesis:{operation} action",
            )

    def assume(
        self, signature: Signature, role: str, session: str, external_id: str | None, asked: int
    ) -> TemporaryCredentials:
        """Give out temporary credentials.

        Args:
            signature: who asks.
            role: the role's ARN.
            session: the session's name.
            external_id: the External ID that came with the request.
            asked: seconds that they are to live.

        Raises:
            Refusal: the role is not there, does not trust, or does not accept the External ID.
        """
        with self._lock:
            caller = self._caller(signature.access_key, self._known(signature))
            if self._roles and not _accepts(self._roles.get(role), external_id):
                raise Refusal(
                    "AccessDenied",
                    f"User: {caller} is not authorized to perform: sts:AssumeRole on resource: {role}",
                    403,
                )
            given = TemporaryCredentials(
                access_key="ASIA" + secrets.token_hex(8).upper(),
                secret_key=secrets.token_urlsafe(30),
                session_token=secrets.token_urlsafe(200),
                role=role,
                external_id=external_id,
                session_name=session,
                expires_at=self._clock() + (asked if self.lifetime is None else self.lifetime),
            )
            self._given[given.access_key] = given
            return given

    def caller(self, signature: Signature) -> str:
        """Return the ARN of whoever signed.

        Raises:
            Refusal: the credentials have expired or are unknown.
        """
        with self._lock:
            return self._caller(signature.access_key, self._known(signature))

    def simulated(self, action: str) -> Simulated | None:
        """Return the scripted decision for an action; None while simulation is denied."""
        with self._lock:
            return None if self._simulated is None else self._simulated.get(action, Simulated("implicitDeny"))

    def _trust(self, arn: str, *, trusts: bool) -> None:
        with self._lock:
            self._roles[arn] = replace(self._roles[arn], trusts=trusts)

    def _known(self, signature: Signature) -> TemporaryCredentials | None:
        """Return the temporary credentials behind a key; None for a long-term key."""
        given = self._given.get(signature.access_key)
        if given is None:
            if self._roles and signature.access_key.startswith("ASIA"):
                raise _unrecognized()
            return None
        if given.session_token != signature.token:
            raise _unrecognized()
        if self._clock() >= given.expires_at:
            raise Refusal("ExpiredTokenException", "The security token included in the request is expired")
        return given

    def _caller(self, access_key: str, given: TemporaryCredentials | None) -> str:
        return f"arn:aws:iam::{self._account}:user/{access_key}" if given is None else given.arn


def _accepts(role: _Role | None, external_id: str | None) -> bool:
    return (
        role is not None and role.trusts and (role.external_ids is None or external_id in role.external_ids)
    )


def _unrecognized() -> Refusal:
    return Refusal("UnrecognizedClientException", "The security token included in the request is invalid.")
