"""The wire as delivery sees it: send these records, say what became of them."""

import logging
import ssl
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, NamedTuple

from botocore.credentials import ReadOnlyCredentials
from botocore.session import Session

from headgate.delivery.wire.connection import NetworkError
from headgate.delivery.wire.endpoints import Endpoint, EndpointError, Endpoints
from headgate.delivery.wire.faults import Fault, Verdict
from headgate.delivery.wire.forms import (
    CBOR,
    JSON,
    Form,
    FormChoice,
    not_understood,
    read_fault,
    takes_another_form,
)
from headgate.delivery.wire.messages import Answer, WireRecord
from headgate.delivery.wire.pool import Pool
from headgate.delivery.wire.signing import Signer, usable
from headgate.errors import UsageError

if TYPE_CHECKING:
    from headgate.delivery.wire.proxied import Proxied

log = logging.getLogger(__name__)

ANSWER_SECONDS = 10.0
"""How long Kinesis may take to answer; 5 MiB over a line of 10 Mbit/s take 4 s."""


@dataclass(frozen=True, slots=True)
class Route:
    """Where records go, and in which form."""

    region: str
    stream_name: str
    form: FormChoice = "auto"


class _Call(NamedTuple):
    """An operation with its records, whatever the form."""

    operation: str
    encode: Callable[[Form], bytes]
    read: Callable[[Form, bytes], Answer | Fault | None]


class Wire:
    """All requests to Kinesis of one process."""

    def __init__(
        self,
        session: Session,
        *,
        tls: ssl.SSLContext | None = None,
        answer_within: float = ANSWER_SECONDS,
        now: Callable[[], float] = time.time,
    ) -> None:
        self._tls = tls or trusted(session)
        self._answer_within = answer_within
        self._endpoints = Endpoints(session)
        self._signer = Signer(now)
        self._pool = Pool(self._tls, answer_within)
        self._proxied: Proxied | None = None
        # What endpoints showed, by their URLs, for `auto`.
        self._took_cbor: set[str] = set()
        self._want_json: set[str] = set()

    async def put_records(
        self, route: Route, credentials: ReadOnlyCredentials, records: Sequence[WireRecord]
    ) -> Answer | Fault:
        """Send one PutRecords request of 1 to 500 records; return what became of each, or of the whole."""
        call = _Call(
            "PutRecords",
            lambda form: form.put_records(route.stream_name, records),
            lambda form, body: form.read_put_records(body, len(records)),
        )
        return await self._send(route, credentials, call)

    async def put_record(
        self, route: Route, credentials: ReadOnlyCredentials, record: WireRecord
    ) -> Answer | Fault:
        """Send one PutRecord request; return what became of the record."""
        call = _Call(
            "PutRecord",
            lambda form: form.put_record(route.stream_name, record),
            lambda form, body: form.read_put_record(body),
        )
        return await self._send(route, credentials, call)

    def spoken(self, route: Route) -> tuple[str | None, Literal["cbor", "json"]]:
        """Return the endpoint's address, None until it was needed, and the form that it is spoken to in."""
        endpoint = self._endpoints.known(route.region)
        if endpoint is None:
            return None, "json" if route.form == "json" else "cbor"
        address = f"{'https' if endpoint.tls else 'http'}://{endpoint.host}{endpoint.path.rstrip('/')}"
        return address, "json" if self._form(route, endpoint) is JSON else "cbor"

    async def close(self) -> None:
        """Close every connection that no request uses."""
        self._pool.close()
        if self._proxied is not None:
            await self._proxied.close()

    async def _send(self, route: Route, credentials: ReadOnlyCredentials, call: _Call) -> Answer | Fault:
        if not usable(credentials):
            why = "the credentials hold a line break or what is not ASCII"
            return Fault(Verdict.PAUSE, "InvalidCredentials", why, sent=False)
        answered = False
        try:
            endpoint = await self._endpoints.of(route.region)
            form = self._form(route, endpoint)
            status, heard = await self._exchange(endpoint, credentials, call, form)
            answered = True
            if form is CBOR and route.form == "auto" and self._wants_json(endpoint, status, heard):
                status, heard = await self._exchange(endpoint, credentials, call, JSON)
        except EndpointError as error:
            return error.fault
        except UnicodeEncodeError:
            return Fault(Verdict.SPLIT, "InvalidPartitionKey", "a key is no Unicode text", sent=False)
        except NetworkError as error:
            return Fault(Verdict.RETRY, error.code, error.message, sent=error.sent or answered)
        return heard or not_understood(status)

    async def _exchange(
        self, endpoint: Endpoint, credentials: ReadOnlyCredentials, call: _Call, form: Form
    ) -> tuple[int, Answer | Fault | None]:
        """Send a request; return the answer's status, and what it says where that is understood."""
        body = call.encode(form)
        headers = self._signer.headers(endpoint, credentials, call.operation, form.content_type, body)
        http = self._pool if endpoint.proxy is None else self._through_proxy()
        status, answer = await http.post(endpoint, headers, body)
        return status, call.read(form, answer) if status == 200 else read_fault(status, answer)

    def _form(self, route: Route, endpoint: Endpoint) -> Form:
        if route.form == "json" or (route.form == "auto" and endpoint.url in self._want_json):
            return JSON
        return CBOR

    def _wants_json(self, endpoint: Endpoint, status: int, heard: Answer | Fault | None) -> bool:
        """Learn from an answer to a CBOR request; return whether it has to be sent again as JSON."""
        if isinstance(heard, Answer):
            self._took_cbor.add(endpoint.url)
            return False
        if not takes_another_form(status, heard, took_cbor=endpoint.url in self._took_cbor):
            return False
        if endpoint.url not in self._want_json:
            self._want_json.add(endpoint.url)
            code = heard.code if heard else f"HTTP{status}"
            said = {"endpoint": endpoint.url, "region": endpoint.region, "code": code}
            log.warning("the endpoint does not take CBOR; it is sent JSON from now on", extra=said)
        return True

    def _through_proxy(self) -> "Proxied":
        if self._proxied is None:
            from headgate.delivery.wire.proxied import Proxied

            self._proxied = Proxied(self._tls, self._answer_within)
        return self._proxied


def trusted(session: Session) -> ssl.SSLContext:
    """Return the certificate authorities that are trusted: `AWS_CA_BUNDLE`, the profile's, or the system's.

    Raises:
        UsageError: the bundle cannot be read.
    """
    bundle = session.get_config_variable("ca_bundle")
    try:
        return ssl.create_default_context(cafile=bundle)
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise UsageError(
            f"AWS_CA_BUNDLE or ca_bundle is {bundle!r}, which cannot be read: {reason}"
        ) from None
