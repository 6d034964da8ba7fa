"""The console on a running system: two sources' live traffic, settings in a table, dead letters."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from random import Random

from demo.embedded_aws import Credentials, embedded_aws
from demo.estate import (
    ACCOUNT,
    APP,
    DEAD_LETTERS,
    EVENTS,
    OLD_LETTERS,
    ORDERS,
    OTHER_EVENTS,
    REGION,
    WEBSITE,
    MadeEstate,
    make_estate,
    put_old_letters,
    stream_arn,
)
from demo.forwarder import HEADGATE, forwarder
from demo.processes import free_port, in_front, running
from demo.screen import Screen
from demo.stack import synthesize
from demo.traffic import Traffic, flowing


@dataclass(frozen=True)
class RunningSystem:
    """What the console is opened on."""

    estate: MadeEstate
    url: str
    """The forwarder's."""
    status_url: str
    traffic: Traffic

    @property
    def command(self) -> list[str]:
        """The console's, as the operator types it."""
        return [
            str(HEADGATE), "console", "--sources", self.estate.sources, "--forwarder", self.url,
            "--status", self.status_url, "--dead-letter-queue", self.estate.queue_url,
        ]  # fmt: skip


@contextmanager
def running_system(screen: Screen, directory: Path) -> Iterator[RunningSystem]:
    """Run all that the console looks at for as long as the block lasts.

    Args:
        screen: where its steps are shown.
        directory: an existing one for files and logs.

    Raises:
        DemoError: a part of it failed.
    """
    with ExitStack() as started:
        with screen.step("Starting an embedded AWS, and synthesizing the app's StreamStack") as tell:
            with ThreadPoolExecutor(1) as beside:
                synthesizing = beside.submit(
                    synthesize,
                    directory,
                    region=REGION,
                    stream_name=EVENTS,
                    source_id=WEBSITE,
                    trusted_account=ACCOUNT,
                    other_streams=[stream_arn(OTHER_EVENTS)],
                )
                aws = started.enter_context(embedded_aws(directory))
                template = synthesizing.result()
            tell(f"ministack at {aws.endpoint_url}, which enforces IAM")
        with screen.step("Deploying it; making streams, roles, a table of settings and a queue") as tell:
            estate = make_estate(aws, template, directory)
            put_old_letters(estate, Random(1), datetime.now(UTC))
            tell(f"Website ({WEBSITE}) to {EVENTS}, Shop app ({APP}) to {ORDERS}")
            tell(f"{OLD_LETTERS} dead letters in {DEAD_LETTERS}, as an outage of two weeks leaves them")
        with screen.step("Starting the forwarder: headgate serve") as tell:
            status_port = free_port()
            url, _ = started.enter_context(
                forwarder(
                    estate.sources, "--status-port", str(status_port),
                    "--dead-letter-queue", estate.queue_url,
                    # With what it adds to an event of this size no stream takes the record.
                    "--max-event-bytes", "1048576", "--max-request-bytes", "2097152",
                    environment=estate.forwarder_environment, log=directory / "serve.log",
                )
            )  # fmt: skip
            tell(url)
        with screen.step("Starting the traffic: Segment's Python SDK, some 20 events a second"):
            traffic = started.enter_context(flowing(url, estate.write_keys[WEBSITE], estate.write_keys[APP]))
        yield RunningSystem(estate, url, f"http://127.0.0.1:{status_port}/statusz", traffic)
        with screen.step("Stopping all that was started"):
            started.close()


@contextmanager
def console_on(system: RunningSystem, credentials: Credentials, log: Path, *options: str) -> Iterator[str]:
    """Run a console without a terminal for as long as the block lasts; give its link.

    Args:
        system: what it is opened on.
        credentials: whose it is.
        log: where it writes to.
        options: more of `headgate console`'s.

    Raises:
        DemoError: it does not start; with the last line that it wrote.
    """
    command = [*system.command, "--no-open", *options]
    environment = system.estate.aws.environment(credentials, REGION)
    with running("headgate console", command, environment=environment, log=log) as child:
        child.wait_until(lambda: "/enter?once=" in log.read_text(encoding="utf-8"), 20)
        yield child.last_line()


def show(screen: Screen, directory: Path) -> None:
    """Run the console on it until the user ends it.

    Raises:
        DemoError: a part of it failed.
    """
    with running_system(screen, directory) as system:
        keys = system.estate.write_keys
        screen.console.print(
            f"Write keys, for the event tester: Website {keys[WEBSITE]}, Shop app {keys[APP]}"
        )
        screen.console.print("$ headgate " + " ".join(system.command[1:]), style="bold", soft_wrap=True)
        screen.console.print("as an operator whose policy docs/console.md shows; Ctrl-C ends all of it.")
        with suppress(SystemExit):  # a signal is how its user ends it
            in_front("headgate console", system.command, environment=system.estate.operator_environment)
