"""The forwarder on ECS Fargate: the service, its network, its queues, and what each may do."""

from constructs_lib.forwarder.destinations import ForwarderDestination, forwarder_principal
from constructs_lib.forwarder.forwarder import Forwarder
from constructs_lib.forwarder.network import ForwarderNetwork

__all__ = ["Forwarder", "ForwarderDestination", "ForwarderNetwork", "forwarder_principal"]
