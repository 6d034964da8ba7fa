"""The demo, step by step."""

import secrets
import time
from contextlib import ExitStack
from pathlib import Path

from botocore.exceptions import ClientError

from demo.embedded_aws import Credentials, EmbeddedAws, embedded_aws
from demo.forwarder import forwarder, send_one_of_each, source_toml
from demo.processes import DemoError
from demo.read_back import tail, what_is_missing
from demo.screen import Screen
from demo.stack import deploy, synthesize

REGION = "us-west-2"
OWNER = "111122223333"  # the account that the stream is in
TRUSTED = "444455556666"  # the account that the forwarder runs in
STREAM_NAME = "headgate-demo-events"
SOURCE_ID = "8kf3Qw2LpZ"
READ = ["kinesis:ListShards", "kinesis:GetShardIterator", "kinesis:GetRecords"]


def show_trust(screen: Screen, aws: EmbeddedAws, caller: Credentials, role_address: str) -> None:
    """Assume the role without, with a wrong and with the right External ID.

    Raises:
        DemoError: the role lets in whom it should not, or refuses whom it should let in.
    """
    sts = aws.client("sts", caller, REGION)
    for what, external_id, allowed in (
        ("without an External ID", None, False),
        ("with a wrong External ID", "wrong-" + SOURCE_ID, False),
        ("with its External ID, the source ID", SOURCE_ID, True),
    ):
        with screen.step(f"Assuming the role {what}: {'allowed' if allowed else 'refused'}"):
            arguments = {} if external_id is None else {"ExternalId": external_id}
            try:
                sts.assume_role(RoleArn=role_address, RoleSessionName="demo", **arguments)
            except ClientError as error:
                if allowed or error.response["Error"]["Code"] != "AccessDenied":
                    raise
            else:
                if not allowed:
                    raise DemoError(f"the role can be assumed {what}")


def show(screen: Screen, directory: Path) -> None:
    """Run the whole path once.

    Raises:
        DemoError: a part of it failed, or an event did not come back as it was sent.
    """
    began = time.monotonic()
    with ExitStack() as started:
        with screen.step("Starting an embedded AWS that enforces IAM") as tell:
            aws = started.enter_context(embedded_aws(directory))
            tell(f"ministack at {aws.endpoint_url}")
        with screen.step("Synthesizing the app's StreamStack") as tell:
            template = synthesize(
                directory,
                region=REGION,
                stream_name=STREAM_NAME,
                source_id=SOURCE_ID,
                trusted_account=TRUSTED,
            )
            tell(template.name)
        with screen.step("Deploying it through CloudFormation") as tell:
            outputs = deploy(aws, OWNER, REGION, template)
            tell(f"Role Address   {outputs.role_address}")
            tell(f"Stream Region  {outputs.stream_region}")
            tell(f"Stream Name    {outputs.stream_name}")
        caller = aws.user(TRUSTED, "forwarder", action="sts:AssumeRole", resource=outputs.role_address)
        show_trust(screen, aws, caller, outputs.role_address)
        with screen.step("Starting the forwarder: headgate serve") as tell:
            write_key = secrets.token_urlsafe(12)
            sources = directory / "sources.toml"
            sources.write_text(source_toml(SOURCE_ID, "Demo", write_key, outputs), encoding="utf-8")
            url, _ = started.enter_context(
                forwarder(sources, environment=aws.environment(caller, REGION), log=directory / "serve.log")
            )
            tell(f"{url}, as a user of account {TRUSTED} who may do nothing but assume the role")
        with screen.step("Sending page, identify, track and group with Segment's Python SDK"):
            sent = send_one_of_each(url, write_key)
        with screen.step("Reading them back: headgate tail"):
            reader = aws.user(OWNER, "reader", action=READ, resource="*")
            records = tail(
                outputs.stream_name,
                REGION,
                environment=aws.environment(reader, REGION),
                log=directory / "tail.log",
            )
        if records:
            screen.records(records)
        if missing := what_is_missing(sent, records):
            raise DemoError(missing)
        with screen.step("Stopping all that was started"):
            started.close()
    seconds = time.monotonic() - began
    screen.console.print(
        f"All {len(sent)} events came back out of the stream, in {seconds:.0f} s.", style="bold"
    )
