"""What delivery is asked for: which destination, and what to put into its stream."""

from typing import Literal

import msgspec


class Target(msgspec.Struct, frozen=True, cache_hash=True):
    """A destination as delivery knows it; equal targets share their lanes."""

    source_id: str
    region: str
    stream_name: str
    role_address: str | None
    external_id: str
    strict: bool = False
    """Whether a key's records never share a request, so that nothing can reorder them."""
    max_record_kib: int = 1024
    """Largest record of the stream, partition key included, unless the stream itself says otherwise."""
    wire: Literal["auto", "cbor", "json"] = "auto"

    @property
    def name(self) -> str:
        """How logs and metrics call it."""
        return f"{self.source_id}/{self.stream_name}"


class Data(msgspec.Struct, frozen=True, gc=False):
    """A record to be."""

    partition_key: str
    data: bytes
    number: int
    """Of its event in the request."""
