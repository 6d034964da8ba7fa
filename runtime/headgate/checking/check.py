"""The steps of a check, in order, and what depends on what."""

import time
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from functools import cached_property
from typing import TypeVar

from botocore.credentials import ReadOnlyCredentials
from botocore.session import Session

from headgate.checking import identity, places, put, stream, trust
from headgate.checking.answers import NO_SUCH_STREAM, Refused, Written
from headgate.checking.arns import account_of, name_of, role_of_session
from headgate.checking.outcomes import Outcome, Step, ok, skipped, unknown
from headgate.checking.probes import Probes
from headgate.delivery.permissions import PUTS, stream_arn
from headgate.settings.schema import Destination, Source
from headgate.settings.targets import target_of

Result = TypeVar("Result")

_NEEDS = {
    "region": ("settings",),
    "caller": ("region",),
    "role": ("caller",),
    "trust": ("role",),
    "stream": ("caller", "role"),
    "permissions": ("stream",),
    "key": ("stream",),
    "put": ("permissions", "key"),
}
Eyes = ReadOnlyCredentials | None
"""Whose credentials ask: the role's, or, where it is None, the caller's."""

_NOBODY = unknown("IAM cannot be asked: STS did not tell who the caller is", "let a put tell (--put)")


class Check:
    """One check of one destination.

    Args:
        session: with the caller's credentials.
        source: the source.
        destination: one of its destinations.
        put_too: whether a record may be put, with DryRun where the service knows it.
        clock: seconds.
    """

    def __init__(
        self,
        session: Session,
        source: Source,
        destination: Destination,
        *,
        put_too: bool,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._source = source
        self._destination = destination
        self._target = target_of(source, destination)
        self._role_arn = destination.role_address or ""
        self._probes = Probes(session, destination.region, destination.secret_id)
        self._clock = clock
        self._steps: dict[str, Callable[[], Outcome]] = {"settings": self._settings, "region": self._region}
        self._steps["caller"] = self._who
        if destination.role_address is not None:
            self._steps |= {"role": self._role, "trust": self._trust}
        self._steps |= {"stream": self._stream, "permissions": self._permissions, "key": self._key}
        if put_too:
            self._steps["put"] = self._put
        # What the steps find for those after them.
        self._caller: str | None = None
        self._credentials: Eyes = None
        self._summary: stream.Summary | None = None

    def steps(self, begin: Callable[[str], object]) -> Iterator[Step]:
        """Make one step after the other.

        Args:
            begin: called with each step's name before it is made.
        """
        lacking: dict[str, str] = {}  # what failed or was skipped, and the step that it failed at
        for name, make in self._steps.items():
            failed_at = next((lacking[each] for each in _NEEDS.get(name, ()) if each in lacking), None)
            if failed_at is not None:
                lacking[name] = failed_at
                yield Step(name, skipped(failed_at), 0.0)
                continue
            begin(name)
            began = self._clock()
            outcome = make()
            if outcome.state == "failed":
                lacking[name] = name
            yield Step(name, outcome, self._clock() - began)

    def _settings(self) -> Outcome:
        return places.settings(self._source, self._destination)

    def _region(self) -> Outcome:
        return places.region(self._destination, self._probes.region())

    def _who(self) -> Outcome:
        answer = self._probes.caller()
        self._caller = answer if isinstance(answer, str) else None
        needs_sts = self._destination.role_address is not None
        return identity.caller(answer, self._target.region, needs_sts=needs_sts)

    def _role(self) -> Outcome:
        answer = self._probes.assume(self._role_arn, self._target.external_id)
        if isinstance(answer, Refused):
            return identity.role_refused(self._attempt(answer), answer)
        self._credentials = answer
        return ok(f"assumed with {places.sent_id(self._destination)} as the External ID")

    def _attempt(self, refused: Refused) -> identity.Attempt:
        """Return what is known of a refused AssumeRole; a denied one is worth two more questions."""
        secret, role, source_id = self._destination.secret_id, self._role_arn, self._source.id
        swapped = None
        if refused.denied and secret not in (None, source_id):
            swapped = self._probes.assume(role, source_id)
        policy = None
        if refused.denied and self._is_owner:
            policy = self._probes.trust_policy(name_of(role), None)
        return identity.Attempt(
            role=role,
            region=self._target.region,
            external_id=self._target.external_id,
            sent=places.sent_id(self._destination),
            is_secret=secret is not None,
            caller=self._caller,
            source_id_lets_in=isinstance(swapped, ReadOnlyCredentials),
            policy=policy,
        )

    def _trust(self) -> Outcome:
        role = self._role_arn
        policy = self._look(lambda eyes: self._probes.trust_policy(name_of(role), eyes))
        if not isinstance(policy, Refused) and self._caller is not None:
            reading = trust.read(policy, self._caller, role)
            if reading.openings or reading.clear:
                return identity.trust_read(reading, role)
        # The right External ID let this caller in: what is refused now is refused for its External ID.
        return identity.trust_tested(
            role, self._lets_in(None), self._lets_in(f"headgate-check-{uuid.uuid4()}")
        )

    def _lets_in(self, external_id: str | None) -> bool | None:
        answer = self._probes.assume(self._role_arn, external_id)
        if not isinstance(answer, Refused):
            return True
        return False if answer.denied else None

    def _stream(self) -> Outcome:
        name = self._target.stream_name
        answer = self._look(lambda eyes: self._probes.stream(name, eyes))
        if not isinstance(answer, Refused):
            self._summary = answer
            return stream.described(answer)
        found_in: Sequence[str] = ()
        if answer.code == NO_SUCH_STREAM:
            found = (self._probes.regions_with(name, eyes) for eyes in (self._credentials, *self._more_eyes))
            found_in = next(filter(None, found), ())
        return stream.not_described(answer, self._arn, found_in)

    def _permissions(self) -> Outcome:
        if self._principal is None:
            return _NOBODY
        results = self._simulated(self._principal, PUTS, self._arn)
        return stream.permissions(results, self._principal, self._arn, seen=self._summary is not None)

    def _key(self) -> Outcome:
        key = stream.key_to_ask(self._summary, self._arn)
        if isinstance(key, Outcome):
            return key
        if self._principal is None:
            return _NOBODY
        results = self._simulated(self._principal, (stream.USE_KEY,), key, stream.key_context(self._arn))
        outcome = stream.key(results, self._principal, key)
        if outcome.state != "failed":
            return outcome
        policy = self._look(lambda eyes: self._probes.key_policy(key, eyes))
        return stream.key(results, self._principal, key, policy)

    def _put(self) -> Outcome:
        name, probes, credentials = self._target.stream_name, self._probes, self._credentials
        event = put.marked_event(f"headgate-check-{uuid.uuid4()}", datetime.now(UTC))
        answer = probes.put_records(name, event, credentials, dry_run=True)
        if isinstance(answer, Refused) and answer.code in put.NOT_UNDERSTOOD:
            answer = probes.put_records(name, event, credentials, dry_run=False)
        if isinstance(answer, Written):
            where = answer
            return put.written(
                event, where, self._look(lambda eyes: probes.read_back(name, event, where, eyes))
            )
        alone = probes.put_record(name, event, credentials) if answer.denied else None
        encrypted = self._summary is not None and self._summary.get("EncryptionType") == "KMS"
        return put.refused(answer, self._principal or "the caller", self._arn, alone, encrypted=encrypted)

    def _simulated(
        self, principal: str, actions: Sequence[str], resource: str, more: Mapping[str, str] | None = None
    ) -> stream.Simulated | Refused:
        return self._look(lambda eyes: self._probes.simulate(principal, actions, resource, eyes, more))

    def _look(self, ask: Callable[[Eyes], Result | Refused]) -> Result | Refused:
        """Ask as the role, and where it may not, as a caller of the same account."""
        answer = ask(self._credentials)
        for eyes in self._more_eyes:
            if isinstance(answer, Refused) and answer.denied:
                other = ask(eyes)
                answer = answer if isinstance(other, Refused) and other.denied else other
        return answer

    @property
    def _more_eyes(self) -> Sequence[Eyes]:
        return (None,) if self._credentials is not None and self._is_owner else ()

    @cached_property
    def _principal(self) -> str | None:
        """The ARN that IAM knows the writer by; None where nobody told."""
        if self._role_arn or self._caller is None:
            return self._role_arn or None
        role = role_of_session(self._caller)
        if role is None:
            return self._caller
        found = self._probes.role_arn(name_of(role))
        return role if isinstance(found, Refused) else found

    @property
    def _is_owner(self) -> bool:
        """Whether the caller is of the account that the role is in."""
        return self._caller is not None and account_of(self._caller) == account_of(self._role_arn)

    @property
    def _arn(self) -> str:
        """The stream's ARN, with no account in it where nobody told that."""
        if self._summary is not None:
            return str(self._summary["StreamARN"])
        owner = self._role_arn or self._caller or "arn:aws:iam:::"
        return stream_arn(owner, self._target.region, self._target.stream_name)
