"""The CDK app: reads the environment that `-c env=NAME` chooses, and wires its stacks."""

import json
import os
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent

# Where the machine's Node is too old for jsii, `make setup` puts one beside this interpreter.
if (node := Path(sys.executable).with_name("node")).is_file():
    os.environ.setdefault("JSII_NODE", str(node))


def main() -> None:
    """Synthesize; a mistake in an environment is one line, not a traceback."""
    from aws_cdk import App, BootstraplessSynthesizer, Tags
    from aws_cdk import Environment as Target

    from constructs_lib.removal import ALLOW_DESTROY_CONTEXT
    from environments import load
    from environments.loader import DIRECTORY
    from headgate.errors import SettingsError
    from stacks.stream import StreamStack

    # What stands in cdk.json holds without the CDK command line too; what that passes on goes first.
    app = App(context=json.loads((HERE / "cdk.json").read_text(encoding="utf-8"))["context"])
    name = app.node.try_get_context("env")
    try:
        environment = load(name, Path(app.node.try_get_context("environments_dir") or DIRECTORY))
        app.node.set_context(ALLOW_DESTROY_CONTEXT, environment.allow_destroy)
        # Without an account nothing is looked up, so synth needs no credentials.
        target = Target(region=environment.region)
        # Without assets no bootstrap is needed: the template deploys as it is, from anywhere.
        stream_stack = StreamStack(
            app,
            f"headgate-{name}-stream",
            environment=environment,
            env=target,
            synthesizer=BootstraplessSynthesizer(),
        )
        if environment.forwarder is not None:
            from stacks.forwarder import ForwarderStack

            forwarder_stack = ForwarderStack(
                app,
                f"headgate-{name}-forwarder",
                name=name,
                settings=environment.forwarder,
                event_stream=stream_stack.event_stream,
                audiences=environment.audiences,
                env=target,
            )
            if environment.audiences:
                from stacks.audience import AudienceStack

                AudienceStack(
                    app,
                    f"headgate-{name}-audiences",
                    name=name,
                    audiences=environment.audiences,
                    settings=environment.forwarder,
                    beside=forwarder_stack,
                    env=target,
                )
        for key, value in environment.tags.items():
            Tags.of(app).add(key, value)
    except SettingsError as error:
        sys.exit(f"headgate: {error}")
    except ValueError as error:  # a construct's: a value that no type could refuse
        sys.exit(f"headgate: environment {name}: {error}")
    app.synth()


if __name__ == "__main__":
    main()
