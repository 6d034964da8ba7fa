"""Two forwarders in one network: what floods one of them does not reach the other.

The website's settings are in a secret, the shop's in a table that `headgate settings` changes.
Run it with `cdk synth --app "python examples/two_forwarders/app.py"`.
"""

from aws_cdk import App, CfnOutput, Environment, Stack
from aws_cdk import aws_certificatemanager as acm
from aws_cdk import aws_secretsmanager as secretsmanager
from constructs import Construct

from constructs_lib import DestinationRole, EventStream
from constructs_lib.forwarder import Forwarder, ForwarderDestination, ForwarderNetwork, forwarder_principal
from constructs_lib.forwarder.settings_table import SettingsTable

# For each forwarder, the source IDs of its settings.
SOURCE_IDS = {"website": ["8kf3Qw2LpZ", "2bYt7RxMnc"], "shop": ["Vd5hJ1sKaE"]}
CERTIFICATE = "arn:aws:acm:us-west-2:123456789012:certificate/1b2c3d4e-5f67-890a-1b2c-3d4e5f67890a"


class Collectors(Stack):
    """One stream, one VPC and its endpoints; service, queues, log, key and permissions are of each alone."""

    def __init__(self, scope: Construct, construct_id: str) -> None:
        super().__init__(scope, construct_id, env=Environment(region="us-west-2"))
        events = EventStream(self, "Events", shard_count=2)
        network = ForwarderNetwork(self, "Network")
        certificate = acm.Certificate.from_certificate_arn(self, "Certificate", CERTIFICATE)  # *.example.com
        for name, source_ids in SOURCE_IDS.items():
            both = Construct(self, name.capitalize())
            task_role_name = f"events-{name}"
            role = DestinationRole(
                both,
                "Role",
                streams=[events],
                source_ids=source_ids,
                principals=[forwarder_principal(task_role_name=task_role_name)],
                shard_map=True,
            )
            forwarder = Forwarder(
                both,
                "Forwarder",
                sources=SettingsTable(both, "Sources")
                if name == "shop"
                else secretsmanager.Secret.from_secret_name_v2(both, "Sources", f"events/{name}"),
                destinations=[ForwarderDestination.of(events, role)],
                domain_name=f"{name}.example.com",
                certificate=certificate,
                network=network,
                task_role_name=task_role_name,
                # Their metrics and alarms are told apart by it.
                service_name=f"events-{name}",
            )
            CfnOutput(both, "LoadBalancer", value=forwarder.load_balancer.load_balancer_dns_name)
            CfnOutput(both, "RoleAddress", value=role.role_arn)


app = App()
Collectors(app, "collectors")
app.synth()
