"""One account's Kinesis in one region: what every operation works on. No I/O: its clock is passed in."""

import re
from collections.abc import Callable
from dataclasses import dataclass, field

from headgate.testing.buckets import Limits
from headgate.testing.faults import Faults
from headgate.testing.ledger import Ledger
from headgate.testing.refusals import Refusal, not_found
from headgate.testing.requests import OnStream
from headgate.testing.streams import Shard, Stream

_ARN = re.compile(r"arn:aws[\w-]*:kinesis:(?P<region>[\w-]*):(?P<account>\d{12}):stream/(?P<name>\S+)")


@dataclass(slots=True, kw_only=True)
class Service:
    """The streams, and the rules by which they are written."""

    account: str
    region: str
    clock: Callable[[], float]
    faults: Faults
    ledger: Ledger
    limits: Limits
    """Of the shards of streams that are made from now on."""
    max_request_bytes: int
    dry_run: bool
    creation_seconds: float
    streams: dict[str, Stream] = field(default_factory=dict)

    def arn(self, stream: str) -> str:
        """Return a stream's ARN."""
        return f"arn:aws:kinesis:{self.region}:{self.account}:stream/{stream}"

    def name_in(self, request: OnStream) -> str:
        """Return the name of the stream that a request is about.

        Raises:
            Refusal: it names none, or two, or one of another account or region.
        """
        if request.stream_arn is None:
            if request.stream_name is None:
                raise Refusal("InvalidArgumentException", "Either StreamARN or StreamName must be provided.")
            return request.stream_name
        parts = _ARN.fullmatch(request.stream_arn)
        if parts is None:
            raise Refusal("InvalidArgumentException", f"{request.stream_arn} is no ARN of a stream.")
        name = parts["name"]
        if request.stream_name not in (None, name):
            raise Refusal("InvalidArgumentException", "StreamARN and StreamName name two streams.")
        if (parts["account"], parts["region"]) != (self.account, self.region):
            raise not_found(name, parts["account"])
        return name

    def stream_in(self, request: OnStream) -> Stream:
        """Return the stream that a request is about, whatever its status.

        Raises:
            Refusal: there is none.
        """
        name = self.name_in(request)
        if name not in self.streams:
            raise not_found(name, self.account)
        return self.streams[name]

    def active_stream_in(self, request: OnStream) -> Stream:
        """Return the stream that a request is about, once it is no longer being created.

        Raises:
            Refusal: there is none.
        """
        stream = self.stream_in(request)
        if stream.status(self.clock()) != "ACTIVE":
            raise not_found(stream.name, self.account)
        return stream

    def shard(self, stream: Stream, shard_id: str) -> Shard:
        """Return a shard of a stream, open or closed.

        Raises:
            Refusal: there is none.
        """
        shard = stream.shard(shard_id)
        if shard is None:
            raise Refusal(
                "ResourceNotFoundException",
                f"Could not find shard {shard_id} in stream {stream.name} under account {self.account}.",
            )
        return shard
