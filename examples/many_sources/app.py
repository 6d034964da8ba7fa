"""Several sources and several secrets: who may write is told apart by the External ID that Segment sends.

Run it with `cdk synth --app "python examples/many_sources/app.py"`.
"""

from aws_cdk import App, CfnOutput, SecretValue, Stack
from constructs import Construct

from constructs_lib import DestinationRole, EventStream, ShardCapacity

SOURCE_IDS = ["8kf3Qw2LpZ", "2bYt7RxMnc", "Vd5hJ1sKaE"]


class ManySources(Stack):
    """One stream, a role for the sources of one workspace and a role for two whole workspaces."""

    def __init__(self, scope: Construct, construct_id: str) -> None:
        super().__init__(scope, construct_id)
        events = EventStream(
            self,
            "Events",
            capacity=ShardCapacity.for_load(events_per_second=500, average_event_bytes=900, peak_factor=2),
        )

        # As few roles as the sources fit into; more sources later move none of these.
        sources = DestinationRole.split(self, "Sources", streams=[events], source_ids=SOURCE_IDS)
        # CloudFormation reads both Secret IDs at deploy; their text is in no template and no code.
        workspaces = DestinationRole(
            self,
            "Workspaces",
            streams=[events],
            secret_ids=[
                SecretValue.secrets_manager("segment/website", json_field="secret_id"),
                SecretValue.secrets_manager("segment/mobile", json_field="secret_id"),
            ],
        )

        for role in sources.roles:
            CfnOutput(self, f"{role.node.id}RoleAddress", value=role.role_arn)
        CfnOutput(self, "WorkspacesRoleAddress", value=workspaces.role_arn)


app = App()
ManySources(app, "many-sources")
app.synth()
