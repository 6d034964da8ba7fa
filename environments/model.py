"""The type of an environment file. Its descriptions are what editors show; limits are the constructs' own."""

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from constructs_lib.event_stream import MAX_RECORD_KIB, RETENTION_HOURS, WARM_THROUGHPUT_MIBPS
from constructs_lib.trust import TRUST_POLICY_QUOTA
from environments.audience import Audience
from environments.forwarder import Forwarder
from environments.values import ExistingStream, SecretId


class Load(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The load to compute the number of shards from."""

    events_per_second: Annotated[float, Meta(gt=0, description="Events a second, the mean.")]
    average_event_bytes: Annotated[
        float, Meta(gt=0, description="Bytes of one event's JSON and its partition key, the mean.")
    ]
    peak_factor: Annotated[float, Meta(ge=1, description="The busiest second over the mean.")] = 1
    headroom: Annotated[float, Meta(ge=1, description="What the result is multiplied with.")] = 1.0
    consumers: Annotated[
        int, Meta(ge=0, description="How many read with GetRecords; with enhanced fan-out they do not count.")
    ] = 1


class Stream(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A stream to be made."""

    name: Annotated[
        str | None, Meta(description="The stream's name. Default: CloudFormation makes one from the stack's.")
    ] = None
    shard_count: Annotated[
        Annotated[int, Meta(ge=1)] | None,
        Meta(description="Provisioned shards. Default: 1, unless load or on_demand is there."),
    ] = None
    load: Annotated[
        Load | None, Meta(description="Provisioned shards computed from a load, in place of shard_count.")
    ] = None
    on_demand: Annotated[bool, Meta(description="Capacity follows the load; no shard count to set.")] = False
    warm_throughput_mibps: Annotated[
        Annotated[int, Meta(ge=WARM_THROUGHPUT_MIBPS[0], le=WARM_THROUGHPUT_MIBPS[1])] | None,
        Meta(description="MiB a second an on-demand stream takes at once; needs On-demand Advantage."),
    ] = None
    retention_hours: Annotated[
        int, Meta(ge=RETENTION_HOURS[0], le=RETENTION_HOURS[1], description="How long a record is kept.")
    ] = RETENTION_HOURS[0]
    max_record_kib: Annotated[
        Annotated[int, Meta(ge=MAX_RECORD_KIB[0], le=MAX_RECORD_KIB[1])] | None,
        Meta(description="The largest record that the stream takes, in KiB. Default: 1,024."),
    ] = None
    encryption: Annotated[
        Literal["managed", "customer_key", "none"],
        Meta(description="At rest: AWS's own key, a customer managed key, or none at all."),
    ] = "managed"
    encryption_key_arn: Annotated[
        str | None,
        Meta(description="An existing key for encryption customer_key. Default: a new one that rotates."),
    ] = None
    shard_level_metrics: Annotated[
        tuple[
            Literal[
                "ALL",
                "IncomingBytes",
                "IncomingRecords",
                "OutgoingBytes",
                "OutgoingRecords",
                "WriteProvisionedThroughputExceeded",
                "ReadProvisionedThroughputExceeded",
                "IteratorAgeMilliseconds",
            ],
            ...,
        ],
        Meta(description="Metrics per shard, which CloudWatch charges for."),
    ] = ()
    removal_policy: Annotated[
        Literal["retain", "destroy"],
        Meta(description="What becomes of the stream with its stack; destroy needs allow_destroy too."),
    ] = "retain"


class Network(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where records may come from; either of the two is enough."""

    vpc_endpoint_ids: Annotated[
        tuple[str, ...], Meta(description="Interface endpoints for Kinesis, as vpce-0a1b2c3d4e5f67890.")
    ] = ()
    source_addresses: Annotated[
        tuple[str, ...], Meta(description="Public addresses or CIDR blocks, as 203.0.113.0/24.")
    ] = ()


class Role(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The role that a writer assumes."""

    source_ids: Annotated[
        tuple[str, ...] | None, Meta(description="Segment source IDs that are accepted as External ID.")
    ] = None
    secret_ids: Annotated[
        tuple[SecretId, ...] | None, Meta(description="Secret IDs to accept, in place of source_ids.")
    ] = None
    split: Annotated[
        bool, Meta(description="Make as many roles as it takes for all source_ids to fit; see the docs.")
    ] = False
    retired_source_ids: Annotated[
        tuple[str, ...], Meta(description="With split: source_ids that keep their place but are refused.")
    ] = ()
    principals: Annotated[
        tuple[str, ...],
        Meta(
            min_length=1,
            description='Who is trusted: "segment", "segment-account" (any role of Segment\'s account), '
            "an account of 12 digits, or the ARN of a role or user.",
        ),
    ] = ("segment",)
    other_streams: Annotated[
        tuple[ExistingStream, ...], Meta(description="More streams that the role may write to.")
    ] = ()
    shard_map: Annotated[
        bool, Meta(description="Also allow ListShards and DescribeStreamSummary, for Headgate's forwarder.")
    ] = False
    network: Annotated[
        Network | None, Meta(description="Where records may come from; not together with Segment.")
    ] = None
    name: Annotated[str | None, Meta(description="The role's name. Default: CloudFormation makes one.")] = (
        None
    )
    path: Annotated[str | None, Meta(description="Path of role and policy. Default: /.")] = None
    permissions_boundary_arn: Annotated[
        str | None, Meta(description="ARN of the managed policy that bounds the role.")
    ] = None
    max_trust_policy_length: Annotated[
        int,
        Meta(
            ge=TRUST_POLICY_QUOTA[0],
            le=TRUST_POLICY_QUOTA[1],
            description="The account's IAM quota for the length of a trust policy.",
        ),
    ] = TRUST_POLICY_QUOTA[0]

    def __post_init__(self) -> None:
        """Refuse what goes with split alone, and split with what it cannot divide."""
        if self.split and self.source_ids is None:
            raise ValueError("split divides source_ids; give them, or leave it out")
        if self.retired_source_ids and not self.split:
            raise ValueError("retired_source_ids goes with split = true; else take the ID out of source_ids")


class Environment(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One environment: a region, a stream in it, and the role to write to it."""

    region: Annotated[
        str, Meta(pattern=r"^[a-z]{2,}(-[a-z]+)+-\d$", description="The region to deploy to, as us-west-2.")
    ]
    tags: Annotated[dict[str, str], Meta(description="Tags on every resource that can have them.")] = {}
    allow_destroy: Annotated[
        bool, Meta(description="The second opt-in to stream.removal_policy destroy.")
    ] = False
    stream: Annotated[
        Stream | None, Meta(description="The stream to be made. Default: one shard, encrypted.")
    ] = None
    existing_stream: Annotated[
        ExistingStream | None, Meta(description="A stream that is there already, in place of stream.")
    ] = None
    role: Annotated[Role, Meta(description="The role that a writer assumes.")]
    forwarder: Annotated[
        Forwarder | None, Meta(description="The forwarder, in a stack of its own. Default: there is none.")
    ] = None

    audiences: Annotated[
        tuple[Audience, ...],
        Meta(description="Audiences synced on a schedule beside the forwarder, in a stack of their own."),
    ] = ()

    def __post_init__(self) -> None:
        """Refuse an environment with two streams, and audiences that nobody could sync or tell apart."""
        if self.stream is not None and self.existing_stream is not None:
            raise ValueError("stream and existing_stream cannot be given together; give one of them")
        if self.audiences and self.forwarder is None:
            raise ValueError("audiences are synced beside a forwarder; add a table [forwarder]")
        names = [(each.source_id, each.name) for each in self.audiences]
        if repeated := next((name for source_id, name in names if names.count((source_id, name)) > 1), None):
            raise ValueError(f"audiences: {repeated!r} is there more than once for one source; name it once")
