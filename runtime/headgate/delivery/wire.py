"""PutRecords on the wire: the body, its signature, the request, the answer."""

from base64 import b64encode
from collections.abc import Sequence
from dataclasses import dataclass

import aiohttp
import msgspec
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials, ReadOnlyCredentials
from botocore.session import Session

from headgate.delivery.answers import Entry, Fault, Verdict, read
from headgate.delivery.submission import Record

_HEADERS = {"Content-Type": "application/x-amz-json-1.1", "X-Amz-Target": "Kinesis_20131202.PutRecords"}
_TIMEOUT = aiohttp.ClientTimeout(total=30, connect=3)


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where a region's Kinesis answers, and the name its requests are signed for."""

    url: str
    region: str


class Endpoints:
    """Kinesis' endpoints as botocore resolves them: environment, profile, FIPS and dual stack count."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._known: dict[str, Endpoint] = {}

    def of(self, region: str) -> Endpoint:
        """Return the region's endpoint."""
        if region not in self._known:
            client = self._session.create_client("kinesis", region_name=region)
            self._known[region] = Endpoint(client.meta.endpoint_url, region)
        return self._known[region]


def body(stream_name: str, records: Sequence[Record]) -> bytes:
    """Return the JSON of a PutRecords request."""
    entries = b",".join(
        b'{"Data":"%b","PartitionKey":%b}'
        % (b64encode(record.data), msgspec.json.encode(record.partition_key))
        for record in records
    )
    return b'{"StreamName":"%b","Records":[%b]}' % (stream_name.encode(), entries)


class PutRecords:
    """Sends PutRecords requests over kept connections."""

    def __init__(self, http: aiohttp.ClientSession) -> None:
        self._http = http

    async def send(
        self,
        endpoint: Endpoint,
        credentials: ReadOnlyCredentials,
        stream_name: str,
        records: Sequence[Record],
    ) -> list[Entry] | Fault:
        """Send one request; return an entry per record, or the fault of the whole, the network's too."""
        data = body(stream_name, records)
        request = AWSRequest("POST", endpoint.url, headers=dict(_HEADERS), data=data)
        signing = Credentials(credentials.access_key or "", credentials.secret_key or "", credentials.token)
        SigV4Auth(signing, "kinesis", endpoint.region).add_auth(request)
        try:
            async with self._http.post(
                endpoint.url + ("" if endpoint.url.endswith("/") else "/"),
                data=data,
                headers=dict(request.headers.items()),
                timeout=_TIMEOUT,
            ) as answer:
                return read(answer.status, await answer.read(), len(records))
        except (aiohttp.ClientError, OSError) as error:
            return Fault(Verdict.RETRY, type(error).__name__, " ".join(str(error).split()))
