"""A stream with its key and the role for Segment, with Headgate's constructs."""

from aws_cdk import App, Stack

from constructs_lib import DestinationRole, Encryption, EventStream

app = App()
stack = Stack(app, "stack")
events = EventStream(
    stack,
    "Events",
    stream_name="events",
    shard_count=2,
    max_record_kib=1024,
    encryption=Encryption.CUSTOMER_KEY,
)
DestinationRole(stack, "Role", streams=[events], source_ids=["8kf3Qw2LpZ", "2bYt7RxMnc", "Vd5hJ1sKaE"])
app.synth()
