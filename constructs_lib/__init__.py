"""AWS CDK constructs for the delivery of Segment-style events into Amazon Kinesis streams that you own.

`EventStream` is the stream, with its optional key. `DestinationRole` is the role that a writer - Segment
itself, or Headgate's forwarder - assumes under an External ID; its policy allows delivery and nothing else.
All props are keyword-only; a wrong one is a `ValueError` at synth that names it and the way out.
"""

from constructs_lib.capacity import ShardCapacity
from constructs_lib.delivery_policy import DeliveryPolicy, NetworkConditions
from constructs_lib.destination_role import DestinationRole, SplitRoles
from constructs_lib.event_stream import Encryption, EventStream
from constructs_lib.event_stream_base import EventStreamBase
from constructs_lib.trust import segment_principal

__all__ = [
    "DeliveryPolicy",
    "DestinationRole",
    "Encryption",
    "EventStream",
    "EventStreamBase",
    "NetworkConditions",
    "ShardCapacity",
    "SplitRoles",
    "segment_principal",
]
