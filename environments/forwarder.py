"""The type of an environment file's `[forwarder]`."""

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from environments.values import ExistingStream, SecretId


class Destination(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A stream besides the environment's own that the forwarder may deliver into."""

    stream: Annotated[ExistingStream, Meta(description="The stream.")]
    role_address: Annotated[
        str, Meta(description="ARN of the role there that trusts this forwarder by its task_role_name.")
    ]


class Network(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where the forwarder runs: in a VPC made for it, unless vpc_id names one."""

    vpc_id: Annotated[str | None, Meta(description="A VPC that is there already.")] = None
    availability_zones: Annotated[
        tuple[str, ...] | None,
        Meta(description="With vpc_id: the zones of the subnets, in their order, as us-west-2a."),
    ] = None
    cidr: Annotated[
        str | None,
        Meta(description="Addresses of the VPC. Default for one that is made: 10.0.0.0/16."),
    ] = None
    task_subnet_ids: Annotated[
        tuple[str, ...] | None, Meta(description="With vpc_id: private subnets, one in each zone.")
    ] = None
    public_subnet_ids: Annotated[
        tuple[str, ...] | None,
        Meta(description="With vpc_id and internet_facing: public subnets, one in each zone."),
    ] = None
    internet_facing: Annotated[
        bool, Meta(description="Whether the load balancer can be reached from the internet.")
    ] = False
    allowed_cidrs: Annotated[
        tuple[str, ...] | None,
        Meta(description="Who may send, as 203.0.113.0/24. Default: the VPC; internet_facing needs it."),
    ] = None
    private_delivery: Annotated[
        bool | None,
        Meta(description="VPC endpoints in place of NAT gateways, in a VPC that is made. Default: yes."),
    ] = None
    bind_to_endpoint: Annotated[
        bool,
        Meta(description="Let records into this environment's stream through the Kinesis endpoint alone."),
    ] = False

    def __post_init__(self) -> None:
        """Refuse half a VPC, and an endpoint that is not made."""
        given = (self.availability_zones, self.task_subnet_ids, self.cidr)
        if self.vpc_id is not None and None in given:
            raise ValueError("vpc_id needs availability_zones, task_subnet_ids and cidr beside it")
        theirs = (self.availability_zones, self.task_subnet_ids, self.public_subnet_ids)
        if self.vpc_id is None and any(theirs):
            raise ValueError("availability_zones, task_subnet_ids and public_subnet_ids go with vpc_id")
        if self.vpc_id is not None and self.internet_facing and not self.public_subnet_ids:
            raise ValueError("internet_facing needs public_subnet_ids beside vpc_id")
        if self.vpc_id is not None and self.private_delivery:
            raise ValueError(
                "private_delivery makes endpoints in a VPC that is made; those of vpc_id are yours"
            )
        if self.bind_to_endpoint and (self.vpc_id is not None or self.private_delivery is False):
            raise ValueError("bind_to_endpoint needs the endpoint that private_delivery makes")


class Forwarder(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The forwarder on ECS."""

    domain_name: Annotated[
        str, Meta(description="What clients call it, as events.example.com; point it at the load balancer.")
    ]
    certificate_arn: Annotated[
        str, Meta(description="ARN of the ACM certificate of that name, in this region.")
    ]
    sources_secret: Annotated[
        Annotated[str, Meta(min_length=1)] | None,
        Meta(description="Name or ARN of the secret that holds the settings, a sources.toml."),
    ] = None
    sources_key_arn: Annotated[
        str | None,
        Meta(description="Its customer managed key, if it has one; sources_secret is then its whole ARN."),
    ] = None
    settings_table: Annotated[
        bool,
        Meta(description="Make a table for the settings, in place of sources_secret."),
    ] = False
    source_ids: Annotated[
        tuple[str, ...] | None,
        Meta(description="The source IDs of the settings: External IDs of the forwarder's role."),
    ] = None
    secret_ids: Annotated[
        tuple[SecretId, ...] | None,
        Meta(description="Secret IDs, where the settings name them, in place of source_ids."),
    ] = None
    operators: Annotated[
        tuple[str, ...],
        Meta(description="ARNs that may assume its role too, for headgate redrive and headgate check."),
    ] = ()
    other_destinations: Annotated[
        tuple[Destination, ...],
        Meta(description="Streams besides this environment's, in other accounts for one."),
    ] = ()
    network: Annotated[Network | None, Meta(description="Default: a VPC of its own.")] = None
    cpu_architecture: Annotated[
        Literal["arm64", "x86_64"], Meta(description="Of the image and the tasks; arm64 costs a fifth less.")
    ] = "arm64"
    cpu: Annotated[int, Meta(description="Of a task, in units of 1/1,024 vCPU, as Fargate has them.")] = 512
    memory_mib: Annotated[int, Meta(description="Of a task, as Fargate has it for that cpu.")] = 1024
    min_tasks: Annotated[int, Meta(ge=1, description="At least so many tasks.")] = 2
    max_tasks: Annotated[int, Meta(ge=1, description="At most so many tasks.")] = 10
    alarm_topic_arn: Annotated[
        str | None, Meta(description="The SNS topic that alarms go to. Default: they show, and tell nobody.")
    ] = None
    removal_policy: Annotated[
        Literal["retain", "destroy"],
        Meta(
            description="What becomes of queues, log, keys and table with the stack; destroy needs "
            "allow_destroy too."
        ),
    ] = "retain"

    def __post_init__(self) -> None:
        """Refuse settings in two places or none, and a key for a secret whose ARN is not known."""
        if (self.sources_secret is None) != self.settings_table:
            raise ValueError(
                "settings are in a secret or in a table: give sources_secret, or settings_table = true"
            )
        if self.sources_key_arn is not None and not (self.sources_secret or "").startswith("arn:"):
            raise ValueError("sources_key_arn goes with a sources_secret that is the secret's whole ARN")
