"""A Segment customer's stream: deploy it, then paste its outputs into Segment's Kinesis destination.

Run it with `cdk deploy --app "python examples/segment_stream/app.py" -c source_id=YOUR_SOURCE_ID`.
"""

from aws_cdk import App, BootstraplessSynthesizer, CfnOutput, Stack
from constructs import Construct

from constructs_lib import DestinationRole, EventStream

# Yours is in Segment under Settings > API Keys.
SOURCE_ID = "8kf3Qw2LpZ"


class SegmentStream(Stack):
    """A stream that Segment itself writes to; nothing else has to run."""

    def __init__(self, scope: Construct, construct_id: str, *, source_id: str) -> None:
        # Nothing here has assets, so no bootstrap is needed.
        super().__init__(scope, construct_id, synthesizer=BootstraplessSynthesizer())
        events = EventStream(self, "Events", stream_name="segment-events", shard_count=1)
        role = DestinationRole(self, "Segment", streams=[events], source_ids=[source_id])

        CfnOutput(self, "RoleAddress", value=role.role_arn)
        CfnOutput(self, "StreamRegion", value=events.region)
        CfnOutput(self, "StreamName", value=events.stream_name)


app = App()
SegmentStream(app, "segment-stream", source_id=app.node.try_get_context("source_id") or SOURCE_ID)
app.synth()
