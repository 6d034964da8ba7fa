"""How long a task takes to go: each part has to fit into the next."""

from headgate.delivery.bounds import DeliverySettings
from headgate.ingest.limits import HttpLimits
from tests.constructs_lib.forwarder.scene import Scene

FARGATE_MOST_SECONDS = 120
ACKNOWLEDGED_WITHIN_SECONDS = DeliverySettings().acknowledge_within


def attributes(properties: dict[str, object], name: str) -> dict[str, str]:
    found = properties[name]
    assert isinstance(found, list)
    return {one["Key"]: one["Value"] for one in found}


def test_the_load_balancer_lets_go_before_the_task_stops_listening(plain: Scene) -> None:
    group = attributes(plain.properties(plain.forwarder.target_group), "TargetGroupAttributes")
    delay = int(group["deregistration_delay.timeout_seconds"])
    assert ACKNOWLEDGED_WITHIN_SECONDS < delay < int(plain.command["--drain"])


def test_there_is_time_to_spill_after_the_drain(plain: Scene) -> None:
    drain, stop = int(plain.command["--drain"]), plain.container["StopTimeout"]
    assert drain + ACKNOWLEDGED_WITHIN_SECONDS < stop <= FARGATE_MOST_SECONDS


def test_the_load_balancer_closes_idle_connections_first(plain: Scene) -> None:
    balancer = attributes(plain.properties(plain.forwarder.load_balancer), "LoadBalancerAttributes")
    assert int(balancer["idle_timeout.timeout_seconds"]) < HttpLimits().idle_seconds
