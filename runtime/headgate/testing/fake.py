"""The fake as a test holds it: started and stopped, scripted, and looked into."""

import os
import ssl
import threading
import time
from collections.abc import Callable, Collection, Mapping
from types import TracebackType
from typing import Self

from aiohttp import web

from headgate.testing.admin import administer
from headgate.testing.buckets import Limits
from headgate.testing.faults import Faults
from headgate.testing.front import CborSupport, Front
from headgate.testing.identities import Identities
from headgate.testing.ledger import Ledger, LedgerMode
from headgate.testing.requests import OperationName
from headgate.testing.server import Server
from headgate.testing.service import Service
from headgate.testing.serving import Refusing, ServingThread, steady_clock
from headgate.testing.streams import DEFAULT_MAX_RECORD_KIB, Stream


class FakeKinesis:
    """Kinesis, with as much of STS and IAM as a writer meets, on a local port.

    `with FakeKinesis(...) as kinesis:` serves from a thread with its own event loop; `async with` serves
    on the loop that runs. All that it offers may be used from any thread while it serves.

    Args:
        streams: how many shards each stream begins with, by its name.
        region: the region of its streams; requests that are signed for another find none.
        account: the account of its streams.
        limits: how much each shard accepts.
        max_request_bytes: data and partition keys of one request (Kinesis 10 MiB; emulators 5).
        dry_run: whether DryRun is honoured; emulators write the record.
        cbor: whether the CBOR form is understood, or how it is refused.
        qualified_errors: whether `__type` has a namespace before the code.
        denied: operations that nobody may call, such as ListShards; see `Identities.deny`.
        creation_seconds: how long a stream made by CreateStream is CREATING.
        ledger: `full`, or `counts` to keep totals alone.
        seed: of the chance in faults.
        clock: seconds since 1970, never going back; None for this machine's.
        host: the address to listen on.
        port: 0 for one that is free.
        tls: what it shows its certificate with; None for plain HTTP.
    """

    def __init__(
        self,
        *,
        streams: Mapping[str, int] | None = None,
        region: str = "us-west-2",
        account: str = "123456789012",
        limits: Limits | None = None,
        max_request_bytes: int = 10 * 2**20,
        dry_run: bool = True,
        cbor: CborSupport = "accepted",
        qualified_errors: bool = False,
        denied: Collection[OperationName] = (),
        creation_seconds: float = 0.0,
        ledger: LedgerMode = "full",
        seed: int = 0,
        clock: Callable[[], float] | None = None,
        host: str = "127.0.0.1",
        port: int = 0,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self._clock = clock or steady_clock()
        self._lock = threading.RLock()
        self._streams = dict(streams or {})
        self._limits = limits or Limits()
        self._denied = tuple(denied)
        self.ledger = Ledger(ledger, self._lock)
        """What it was asked, and what it accepted."""
        self.faults = Faults(seed=seed, clock=self._clock, lock=self._lock)
        """What goes wrong."""
        self.identities = Identities(account=account, clock=self._clock, lock=self._lock)
        """Who may call."""
        self._service = Service(
            account=account,
            region=region,
            clock=self._clock,
            faults=self.faults,
            ledger=self.ledger,
            limits=self._limits,
            max_request_bytes=max_request_bytes,
            dry_run=dry_run,
            creation_seconds=creation_seconds,
        )
        self._front = Front(
            self._service, self.identities, self._lock, cbor=cbor, qualified_errors=qualified_errors
        )
        self.server = Server(
            self._front,
            self.faults,
            self.ledger,
            clock=self._clock,
            admin=self._administer,
            host=host,
            port=port,
            tls=tls,
        )
        self._scheme = "https" if tls else "http"
        self._thread: ServingThread | None = None
        self.reset()

    # Where it is.

    @property
    def url(self) -> str:
        """Where it answers, once it serves."""
        return f"{self._scheme}://{self.server.host}:{self.server.port}"

    def environment(self) -> dict[str, str]:
        """Return the environment variables under which AWS tools and SDKs talk to it, and to nobody else."""
        return {
            "AWS_ENDPOINT_URL": self.url,
            "AWS_ACCESS_KEY_ID": "AKIAFAKEKINESIS00000",
            "AWS_SECRET_ACCESS_KEY": "secret",
            "AWS_REGION": self._service.region,
            "AWS_DEFAULT_REGION": self._service.region,
            "AWS_EC2_METADATA_DISABLED": "true",
            "AWS_CONFIG_FILE": os.devnull,
            "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        }

    # Streams.

    def create_stream(
        self,
        name: str,
        shards: int = 1,
        *,
        limits: Limits | None = None,
        max_record_kib: int = DEFAULT_MAX_RECORD_KIB,
        key_id: str | None = None,
        on_demand: bool = False,
    ) -> Stream:
        """Make a stream that is ACTIVE at once; one of that name is replaced.

        Args:
            name: 1 to 128 of `[a-zA-Z0-9_.-]`.
            shards: how many, of equal hash ranges.
            limits: of each shard; None for the fake's.
            max_record_kib: data and partition key of one record.
            key_id: the KMS key that is to encrypt it; None for no encryption.
            on_demand: its mode.

        Raises:
            ValueError: the name or the number of shards cannot be.
        """
        with self._lock:
            stream = self._service.streams[name] = Stream(
                name,
                shards,
                now=self._clock(),
                limits=limits or self._service.limits,
                max_record_kib=max_record_kib,
                key_id=key_id,
                on_demand=on_demand,
            )
            return stream

    def delete_stream(self, name: str) -> None:
        """Remove a stream with its records; the ledger keeps what it wrote."""
        with self._lock:
            del self._service.streams[name]

    def stream(self, name: str) -> Stream:
        """Return a stream, to look at its shards."""
        with self._lock:
            return self._service.streams[name]

    def split(self, name: str, shard_id: str, at: int | None = None) -> tuple[str, str]:
        """Split a shard, in the middle or at a hash key; return the IDs of its children."""
        with self._lock:
            stream = self._service.streams[name]
            shard = self._service.shard(stream, shard_id)
            middle = (shard.start + shard.end + 1) // 2
            low, high = stream.split(shard, middle if at is None else at, self._clock())
            return low.shard_id, high.shard_id

    def merge(self, name: str, shard_id: str, adjacent: str) -> str:
        """Merge two neighbours; return the ID of their child."""
        with self._lock:
            stream = self._service.streams[name]
            one, other = (self._service.shard(stream, each) for each in (shard_id, adjacent))
            return stream.merge(one, other, self._clock()).shard_id

    def throttle(self, limits: Limits, *, stream: str | None = None, shard_id: str | None = None) -> None:
        """Throttle by other limits from now on; buckets are full at first.

        Args:
            limits: what each shard accepts; `UNLIMITED` throttles nothing.
            stream: one stream; None for all, those to come too.
            shard_id: one shard of that stream; None for all of its shards.
        """
        with self._lock:
            now = self._clock()
            if stream is None:
                self._service.limits = limits
                for each in self._service.streams.values():
                    each.limit(limits, now)
            elif shard_id is None:
                self._service.streams[stream].limit(limits, now)
            else:
                self._service.shard(self._service.streams[stream], shard_id).limit(limits, now)

    # What it says.

    @property
    def cbor(self) -> CborSupport:
        """Whether the CBOR form is understood, or how it is refused; may be set while it serves."""
        return self._front.cbor

    @cbor.setter
    def cbor(self, support: CborSupport) -> None:
        self._front.cbor = support

    def refuse_connections(self) -> Refusing:
        """Listen no more and reset all connections, until the end of the `with` or `async with` block."""
        return Refusing(self.server, self._thread)

    def reset(self) -> None:
        """Begin anew: the first streams, with no records; the first limits; no faults; an empty ledger."""
        with self._lock:
            self.ledger.clear()
            self.faults.clear()
            self.identities.clear()
            self.identities.deny(*self._denied)
            self._service.limits = self._limits
            self._service.streams.clear()
            for name, shards in self._streams.items():
                self.create_stream(name, shards)

    def until(self, condition: Callable[[Ledger], object], *, seconds: float = 10.0) -> None:
        """Wait until the ledger says so.

        Args:
            condition: what is to become true; it is asked again every few milliseconds.
            seconds: how long to wait at most.

        Raises:
            TimeoutError: it did not.
            RuntimeError: the fake serves on an event loop of the caller's, which waiting would stop.
        """
        if self._thread is None:
            raise RuntimeError("until() waits for a fake that serves from a thread, inside `with`")
        deadline = time.monotonic() + seconds
        while not condition(self.ledger):
            if time.monotonic() > deadline:
                raise TimeoutError(
                    f"not within {seconds} s; calls: {dict(self.ledger.calls)}, "
                    f"errors: {dict(self.ledger.errors)}"
                )
            time.sleep(0.005)

    # Serving.

    def __enter__(self) -> Self:
        self._thread = ServingThread()
        try:
            self._thread.call(self.server.listen)
        except BaseException:
            self._thread.stop()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._thread is not None:
            self._thread.call(self.server.stop)
            self._thread.stop()
            self._thread = None

    async def __aenter__(self) -> Self:
        await self.server.listen()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.server.stop()

    async def _administer(self, http: web.BaseRequest) -> web.StreamResponse:
        return await administer(self, http)
