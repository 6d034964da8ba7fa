"""The two forms of the Kinesis protocol, and when an endpoint is to be spoken to in the other one."""

from collections.abc import Sequence
from typing import Final, Literal, Protocol

import msgspec

from headgate.delivery.wire import cbor_form
from headgate.delivery.wire.cbor_form import CborForm
from headgate.delivery.wire.faults import Fault, Verdict, fault_of
from headgate.delivery.wire.json_form import JsonForm
from headgate.delivery.wire.messages import Answer, WireRecord

FormChoice = Literal["auto", "cbor", "json"]
"""`auto` is CBOR until an endpoint shows that it does not take it, then JSON."""


class Form(Protocol):
    """A form of the protocol: pure functions from requests to bytes and from bytes to answers."""

    name: str
    content_type: str

    def put_records(self, stream_name: str, records: Sequence[WireRecord]) -> bytes:
        """Return the body of a PutRecords request."""

    def put_record(self, stream_name: str, record: WireRecord) -> bytes:
        """Return the body of a PutRecord request."""

    def read_put_records(self, body: bytes, sent: int) -> Answer | Fault | None:
        """Return what became of the records; None when the body is no answer in this form."""

    def read_put_record(self, body: bytes) -> Answer | None:
        """Return what became of the record; None when the body is no answer in this form."""


CBOR: Final[Form] = CborForm()
JSON: Final[Form] = JsonForm()

_WRONG_FORM = frozenset({"SerializationException", "UnknownOperationException"})
_UNSUPPORTED_MEDIA_TYPE = 415
# Proxies, load balancers and limits answer with these in a form of their own, whatever was sent.
_SAYS_NOTHING_OF_THE_FORM = frozenset({408, 413, 429, 502, 503, 504})
_WITHOUT_A_CODE = {413: Verdict.SPLIT, 429: Verdict.THROTTLED}


def read_fault(status: int, body: bytes) -> Fault | None:
    """Return the fault that an error names; None when it is none of Kinesis.

    Both forms are understood, because what stands before a service may refuse a CBOR request in JSON.
    """
    error = _members(body)
    if error is None:
        return None
    named = error.get("__type") or error.get("code")
    if not named and status < 500:
        return None
    code = str(named or f"HTTP{status}").rpartition("#")[2].partition(":")[0]
    return fault_of(code, str(error.get("message") or error.get("Message") or ""))


def takes_another_form(status: int, heard: Answer | Fault | None, *, took_cbor: bool) -> bool:
    """Return whether an answer to a CBOR request shows that the endpoint is to be sent JSON.

    Args:
        status: its HTTP status.
        heard: what was understood; None when it is no answer of Kinesis.
        took_cbor: whether the endpoint accepted CBOR before. Then an answer that is not understood is the
            trouble of something in between, and only a plain refusal counts.
    """
    if status == _UNSUPPORTED_MEDIA_TYPE:
        return True
    if heard is None:
        return not took_cbor and status not in _SAYS_NOTHING_OF_THE_FORM
    return isinstance(heard, Fault) and heard.code in _WRONG_FORM


def not_understood(status: int) -> Fault:
    """Return the fault of a request whose answer is none of Kinesis."""
    if status == _UNSUPPORTED_MEDIA_TYPE:
        message = (
            'the endpoint does not take this form of the protocol; wire = "auto" finds one that it takes'
        )
        return Fault(Verdict.PAUSE, f"HTTP{status}", message)
    verdict = _WITHOUT_A_CODE.get(status, Verdict.RETRY)
    return Fault(verdict, f"HTTP{status}", "the answer is none of Kinesis")


def _members(body: bytes) -> dict[object, object] | None:
    if body.lstrip()[:1] != b"{":
        return cbor_form.decode(body)
    try:
        return msgspec.json.decode(body, type=dict[object, object])
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None
