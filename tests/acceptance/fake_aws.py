"""Sources that deliver to the fake Kinesis, each with a stream and a role of its own."""

from typing import Any, Literal

from headgate.settings.schema import Destination, Source
from headgate.testing import FakeKinesis

Mode = Literal["listing", "blind"]
"""Whether a role may ListShards and DescribeStreamSummary, or has the three documented actions alone."""
MODES: tuple[Mode, ...] = ("listing", "blind")
PUT = ("PutRecord", "PutRecords")


def add_source(
    kinesis: FakeKinesis, name: str, mode: Mode = "listing", *, shards: int = 4, **settings: Any
) -> Source:
    """Make a stream and a role that asks for an External ID; return a source that delivers to it."""
    kinesis.create_stream(name, shards)
    destination = add_destination(kinesis, name, mode, **settings)
    return Source(id=f"src-{name}", write_keys=(f"wk-{name}",), destinations=(destination,))


def add_destination(
    kinesis: FakeKinesis,
    stream: str,
    mode: Mode = "listing",
    *,
    account: str = "111122223333",
    **settings: Any,
) -> Destination:
    """Make a role in an account that writes to a stream; return a destination that assumes it."""
    role, secret_id = f"arn:aws:iam::{account}:role/writes-{stream}", f"external-id-of-{stream}"
    kinesis.identities.add_role(role, external_ids={secret_id}, actions=PUT if mode == "blind" else None)
    kinesis.identities.simulate(dict.fromkeys(("kinesis:PutRecord", "kinesis:PutRecords"), "allowed"))
    return Destination(stream_name=stream, role_address=role, secret_id=secret_id, **settings)


def stream_of(source: Source) -> str:
    """Return the stream of a source that has one."""
    [destination] = source.destinations
    return destination.stream_name


def name_of(source: Source) -> str:
    """Return what logs and metrics call the destination of a source that has one."""
    return f"{source.id}/{stream_of(source)}"


def role_of(source: Source) -> str:
    """Return the Role Address of a source that has one."""
    [destination] = source.destinations
    assert destination.role_address is not None
    return destination.role_address
