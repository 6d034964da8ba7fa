"""How much delivery takes on, and how long it may take."""

from dataclasses import dataclass

from headgate.delivery.packer import MAX_REQUEST_BYTES


@dataclass(frozen=True, kw_only=True, slots=True)
class DeliverySettings:
    """Bounds of delivery: times in seconds, sizes in bytes of data and partition keys."""

    acknowledge_within: float = 8.0
    """A request whose records are not all safe by then is spilled, or answered 503."""
    linger: float = 0.005
    """How long a record waits for company."""
    requests_in_flight: int = 4
    """PutRecords requests that one destination may have under way at a time."""
    request_size: int = MAX_REQUEST_BYTES
    """One PutRecords request; emulators of Kinesis may take only 5 MiB."""
    lane_size: int = 8 * 1024 * 1024
    """Held for one lane before clients are asked to wait: what a shard takes in eight seconds."""
    destination_size: int = 32 * 1024 * 1024
    """Held for one destination before clients are asked to wait."""
    process_size: int = 96 * 1024 * 1024
    """Held by the process for all destinations before clients are asked to wait."""
