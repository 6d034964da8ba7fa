"""What the tests of the wire share: an HTTP server that answers as a script says, and answers in any form."""

import asyncio
import itertools
import json
import ssl
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import botocore.session
import cbor2
from botocore.credentials import ReadOnlyCredentials
from botocore.loaders import create_loader
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

CREDENTIALS = ReadOnlyCredentials("AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY", "a-token", None)
_LOADER = create_loader()  # one for all, because it keeps what it read
JSON_TYPE, CBOR_TYPE = "application/x-amz-json-1.1", "application/x-amz-cbor-1.1"


@dataclass(frozen=True)
class One:
    """A record."""

    data: bytes
    partition_key: str


@dataclass
class Request:
    line: str
    headers: dict[str, str]
    body: bytes
    connection: int
    """The number of the connection it came on."""

    @property
    def decoded(self) -> Any:
        return (cbor2 if self.headers["content-type"] == CBOR_TYPE else json).loads(self.body)


Respond = Callable[[Request], bytes | None]
"""Returns all bytes of an answer, or None to close the connection instead."""


@dataclass
class Server:
    """Answers each request with the next of the script, then with its last for ever."""

    script: list[Respond]
    requests: list[Request] = field(default_factory=list)
    url: str = ""
    open_connections: set[asyncio.StreamWriter] = field(default_factory=set)
    numbers: Iterator[int] = field(default_factory=itertools.count)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        number = next(self.numbers)
        self.open_connections.add(writer)
        try:
            while request := await self.read(reader, number):
                self.requests.append(request)
                answer = (self.script.pop(0) if len(self.script) > 1 else self.script[0])(request)
                if answer is None:
                    break
                writer.write(answer)
                await writer.drain()
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            self.open_connections.discard(writer)
            writer.close()

    async def read(self, reader: asyncio.StreamReader, number: int) -> Request | None:
        try:
            head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
        except asyncio.IncompleteReadError:
            return None
        line, *rest = head.strip().split("\r\n")
        headers = {name.lower(): value for name, value in (each.split(": ", 1) for each in rest)}
        body = await reader.readexactly(int(headers.get("content-length", 0)))
        return Request(line, headers, body, number)


@asynccontextmanager
async def serving(*script: Respond, tls: ssl.SSLContext | None = None) -> AsyncIterator[Server]:
    server = Server(list(script))
    listening = await asyncio.start_server(server.serve, "127.0.0.1", 0, ssl=tls)
    port = listening.sockets[0].getsockname()[1]
    server.url = f"https://localhost:{port}/" if tls else f"http://127.0.0.1:{port}/"
    try:
        yield server
    finally:
        listening.close()
        for writer in list(server.open_connections):
            writer.close()
        await asyncio.sleep(0)


def http(body: bytes, status: int = 200, headers: str = "") -> bytes:
    return f"HTTP/1.1 {status} Said\r\nContent-Length: {len(body)}\r\n{headers}\r\n".encode("latin-1") + body


def always(answer: bytes | None) -> Respond:
    return lambda _: answer


def in_form_of(request: Request, answer: Any, status: int = 200) -> bytes:
    """Return an answer in the form that its request has."""
    cbor = request.headers["content-type"] == CBOR_TYPE
    return http(cbor2.dumps(answer) if cbor else json.dumps(answer).encode(), status)


def took(count: int) -> dict[str, Any]:
    """Return a PutRecords answer that accepts `count` records."""
    entries = [{"SequenceNumber": str(i), "ShardId": f"shardId-{i % 4:012}"} for i in range(count)]
    return {"FailedRecordCount": 0, "Records": entries, "EncryptionType": "NONE"}


def takes(request: Request) -> bytes:
    """Accept every record of a request, whatever its form and operation."""
    if request.headers["x-amz-target"].endswith(".PutRecord"):
        return in_form_of(request, took(1)["Records"][0])
    return in_form_of(request, took(len(request.decoded["Records"])))


def fails(code: str, status: int = 400) -> Respond:
    return lambda request: in_form_of(request, {"__type": code, "message": "as the script says"}, status)


def indefinite(value: Any) -> bytes:
    """Return CBOR whose maps and arrays have no length, as Java's encoder writes them."""
    if isinstance(value, dict):
        members = (cbor2.dumps(name) + indefinite(each) for name, each in value.items())
        return b"\xbf" + b"".join(members) + b"\xff"
    if isinstance(value, list):
        return b"\x9f" + b"".join(map(indefinite, value)) + b"\xff"
    return cbor2.dumps(value)


class SessionAt(botocore.session.Session):
    """A session whose services are all at one URL."""

    def __init__(self, url: str) -> None:
        super().__init__()
        self.register_component("data_loader", _LOADER)
        self.url = url

    def create_client(self, *arguments: Any, **options: Any) -> Any:
        return super().create_client(*arguments, **options, endpoint_url=self.url)


def certificate(directory: Path, names: Sequence[str] = ("localhost",)) -> tuple[Path, ssl.SSLContext]:
    """Make a certificate that vouches for itself; return it, and the context of a server that shows it."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "tests")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(each) for each in names]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    pem, secret = directory / "certificate.pem", directory / "key.pem"
    pem.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    private = serialization.PrivateFormat.PKCS8
    secret.write_bytes(key.private_bytes(serialization.Encoding.PEM, private, serialization.NoEncryption()))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pem, secret)
    return pem, context
