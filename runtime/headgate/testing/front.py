"""The front of the service: what a request asks, whether its sender may, and the answer. No I/O."""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from threading import RLock
from typing import Any, Literal

from headgate.testing import query
from headgate.testing.forms import CBOR, JSON, Form
from headgate.testing.identities import Identities, Signature, read_signature
from headgate.testing.ledger import LoggedRequest
from headgate.testing.operations import OPERATIONS
from headgate.testing.reading import read_iterator
from headgate.testing.refusals import Refusal, not_found, usual_message
from headgate.testing.requests import CreateStream, GetRecords, OnStream
from headgate.testing.service import Service

CborSupport = Literal["accepted", "415", "SerializationException", "UnknownOperationException", "html"]
"""Whether the CBOR form is understood, or what an endpoint that knows JSON alone says to it."""

_TARGET = "Kinesis_20131202."
_PAGE = b"<!DOCTYPE html>\n<html><head><title>404 Not Found</title></head><body>Not Found</body></html>\n"


@dataclass(frozen=True, slots=True)
class Reply:
    """An HTTP answer."""

    status: int
    content_type: str
    body: bytes
    request_id: str


@dataclass(frozen=True, slots=True)
class Asked:
    """A request as far as it could be read."""

    form: Form | None
    """None for the query protocol."""
    members: Any
    """The operation's request; a Refusal where it could not be read."""
    signature: Signature | Refusal
    log: LoggedRequest


class Front:
    """Reads requests and answers them.

    Args:
        service: Kinesis.
        identities: who may call.
        lock: held while a request is carried out.
        cbor: whether the CBOR form is understood.
        qualified_errors: whether `__type` has a namespace before the code, as some of AWS's answers do.
    """

    def __init__(
        self,
        service: Service,
        identities: Identities,
        lock: RLock,
        *,
        cbor: CborSupport,
        qualified_errors: bool,
    ) -> None:
        self._service = service
        self._identities = identities
        self._lock = lock
        self.cbor = cbor
        self.qualified_errors = qualified_errors

    def read(self, headers: Mapping[str, str], body: bytes) -> Asked:
        """Return what a request asks. What is wrong with it is told later, by `answer`."""
        target = headers.get("X-Amz-Target")
        if target is not None:
            return self._read_kinesis(headers, target, body)
        members = query.read_form(body)
        operation = members.get("Action", "")
        log = LoggedRequest(
            service=query.SERVICES.get(operation, "sts"),
            operation=operation,
            form="query",
            request_id=_request_id(),
            body_bytes=len(body),
        )
        return Asked(None, members, _signature(headers, log), log)

    def answer(self, asked: Asked) -> Reply:
        """Carry a request out, and return its answer."""
        signature = asked.signature
        try:
            if isinstance(asked.members, Refusal):
                raise asked.members
            if isinstance(signature, Refusal):
                raise signature
            if asked.form is None:
                return self._query(asked, signature)
            with self._lock:
                answer = self._kinesis(asked, signature)
        except Refusal as refusal:
            return self._refuse(asked, refusal)
        # An operation with nothing to say has an empty body, in CBOR too.
        body = b"" if answer is None else asked.form.encode(answer)
        return Reply(200, asked.form.content_type, body, asked.log.request_id)

    def fail(self, asked: Asked, code: str, message: str | None = None, status: int | None = None) -> Reply:
        """Return the answer that refuses a request with a code, with AWS's usual text where none is given."""
        usual = usual_message(code, stream=asked.log.stream, account=self._service.account)
        return self._refuse(asked, Refusal(code, usual if message is None else message, status))

    def _refuse(self, asked: Asked, refusal: Refusal) -> Reply:
        log = asked.log
        log.error = refusal.code
        if asked.form is None:
            body = query.error(refusal, log.service, log.request_id)
            return Reply(refusal.status, query.CONTENT_TYPE, body, log.request_id)
        if refusal.code == "html":
            return Reply(404, "text/html", _PAGE, log.request_id)
        if refusal.code == "415":
            return Reply(415, "text/plain", b"Unsupported Media Type", log.request_id)
        form = asked.form if self.cbor == "accepted" else JSON
        kind = f"com.amazonaws.kinesis.v20131202#{refusal.code}" if self.qualified_errors else refusal.code
        body = form.encode({"__type": kind, "message": refusal.message})
        return Reply(refusal.status, form.content_type, body, log.request_id)

    def _read_kinesis(self, headers: Mapping[str, str], target: str, body: bytes) -> Asked:
        content_type = headers.get("Content-Type", "").partition(";")[0].strip().lower()
        form = CBOR if content_type == CBOR.content_type else JSON
        log = LoggedRequest(
            service="kinesis",
            operation=target.removeprefix(_TARGET),
            form=form.name,
            request_id=_request_id(),
            body_bytes=len(body),
        )
        if form is CBOR and self.cbor != "accepted":
            members: Any = Refusal(self.cbor, f"{content_type} is not understood")
        elif content_type != form.content_type:
            members = Refusal("UnknownOperationException", f"{content_type!r} is no form that is understood")
        else:
            members = self._members(form, log, body)
        return Asked(form, members, _signature(headers, log), log)

    def _members(self, form: Form, log: LoggedRequest, body: bytes) -> Any:
        """Return an operation's request, or the refusal that it could not be read; note its stream."""
        operation = OPERATIONS.get(log.operation)
        if operation is None:
            return Refusal("UnknownOperationException", f"no operation {log.operation!r} is known")
        try:
            members = form.decode(body, operation.request)
            log.stream = self._stream_of(members)
        except Refusal as refusal:
            return refusal
        return members

    def _stream_of(self, members: Any) -> str:
        if isinstance(members, CreateStream):
            return members.stream_name
        if isinstance(members, GetRecords):
            return read_iterator(members.shard_iterator).stream
        if isinstance(members, OnStream) and (members.stream_name or members.stream_arn):
            return self._service.name_in(members)
        return ""

    def _kinesis(self, asked: Asked, signature: Signature) -> dict[str, Any] | None:
        log, service = asked.log, self._service
        self._identities.admit(signature, log.operation, service.arn(log.stream))
        if signature.region != service.region:
            raise not_found(log.stream, service.account)
        return OPERATIONS[log.operation].run(service, asked.members, log)

    def _query(self, asked: Asked, signature: Signature) -> Reply:
        log = asked.log
        if log.operation not in query.SERVICES:
            raise Refusal("InvalidAction", f"Could not find operation {log.operation}")
        body = query.answer(self._identities, asked.members, signature, log.request_id)
        return Reply(200, query.CONTENT_TYPE, body, log.request_id)


def _signature(headers: Mapping[str, str], log: LoggedRequest) -> Signature | Refusal:
    """Return who signed, and note it; or the refusal that nobody did."""
    try:
        signature = read_signature(
            headers.get("Authorization"), headers.get("X-Amz-Security-Token"), log.service
        )
    except Refusal as refusal:
        return refusal
    log.access_key = signature.access_key
    return signature


def _request_id() -> str:
    digits = secrets.token_hex(16)
    return f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}"
