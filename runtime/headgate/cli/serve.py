"""`headgate serve`: the forwarder."""

from pathlib import Path
from typing import Annotated

import typer

_MIB = 1024 * 1024


def serve(
    sources: Annotated[
        str,
        typer.Option(
            metavar="STORE",
            help="The sources and their destinations, followed while serving: the path of a TOML file, "
            "secretsmanager://NAME, with the name or ARN of a secret that holds the same, or "
            "dynamodb://TABLE, of a table; see: headgate settings --help.",
            show_default=False,
        ),
    ],
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[
        int, typer.Option(min=0, max=65535, help="Port to listen on; 0 for any that is free.")
    ] = 8080,
    workers: Annotated[int, typer.Option(min=1, max=64, help="Processes; one per core is right.")] = 1,
    acknowledge_within: Annotated[
        float,
        typer.Option(
            min=0.1, max=60, help="Seconds in which a request is answered; SDKs give up after 10 to 15."
        ),
    ] = 8,
    drain: Annotated[
        float,
        typer.Option(
            min=0, max=110, help="Seconds to go on serving after SIGTERM, while traffic moves away."
        ),
    ] = 10,
    overflow_queue: Annotated[
        str | None,
        typer.Option(
            metavar="URL",
            help="An SQS queue for what Kinesis does not take in time; without one clients send it again.",
            show_default=False,
        ),
    ] = None,
    dead_letter_queue: Annotated[
        str | None,
        typer.Option(
            metavar="URL",
            help="An SQS queue for what no stream will ever take; see: headgate redrive --help.",
            show_default=False,
        ),
    ] = None,
    dead_letter_file: Annotated[
        Path | None,
        typer.Option(metavar="PATH", help="A file for the same, instead of a queue.", show_default=False),
    ] = None,
    public_url: Annotated[
        str | None,
        typer.Option(
            help="Where clients reach this service, such as https://events.example.com: told to the browser "
            "and mobile SDKs that ask for their settings.",
            show_default=False,
        ),
    ] = None,
    forwarded_hops: Annotated[
        int,
        typer.Option(
            min=0,
            max=16,
            help="Proxies of yours in front: the client is that entry of X-Forwarded-For, from the right.",
        ),
    ] = 0,
    max_connections: Annotated[
        int, typer.Option(min=1, max=100_000, help="Open connections of each worker; more of them wait.")
    ] = 2_000,
    max_request_bytes: Annotated[
        int, typer.Option(min=1_024, max=8 * 1_024 * 1_024, help="Bytes of a request's body, decompressed.")
    ] = 513_024,
    max_event_bytes: Annotated[
        int, typer.Option(min=1_024, max=1_024 * 1_024, help="Bytes of one event, as it was sent.")
    ] = 32_768,
    status_port: Annotated[
        int,
        typer.Option(
            min=-1,
            max=65535,
            help="Port of http://127.0.0.1:PORT/statusz; 0 for any that is free, -1 for no such page.",
        ),
    ] = 8081,
    held_mib: Annotated[
        int, typer.Option(min=1, max=16_384, help="MiB of records that each worker holds at most.")
    ] = 96,
    destination_mib: Annotated[
        int, typer.Option(min=1, max=16_384, help="MiB that a worker holds for one destination at most.")
    ] = 32,
    lane_mib: Annotated[
        int, typer.Option(min=1, max=16_384, help="MiB that a worker holds for one shard at most.")
    ] = 8,
    put_records_mib: Annotated[
        int,
        typer.Option(
            min=1, max=10, help="MiB of one PutRecords request; some emulators take no more than 5."
        ),
    ] = 10,
    max_events: Annotated[int, typer.Option(min=1, max=100_000, help="Events of one batch.")] = 2_500,
    service_name: Annotated[
        str,
        typer.Option(
            envvar="AWS_EMF_SERVICE_NAME", help="The dimension Service of the metrics in CloudWatch."
        ),
    ] = "headgate",
) -> None:
    """Accept events over Segment's HTTP API and put each into its destinations' Kinesis streams.

    A request is answered with 200 only after Kinesis has said yes for every event of it.

    Example: headgate serve --sources sources.toml --port 8080
    """
    from headgate.clients import own_session
    from headgate.delivery.bounds import DeliverySettings
    from headgate.errors import UsageError
    from headgate.ingest.limits import HttpLimits
    from headgate.ingest.projects import public_api
    from headgate.logs import log_as_json_lines
    from headgate.overflow.refuges import RefugeOptions
    from headgate.server import ServerOptions, listen
    from headgate.server import serve as serve_forever
    from headgate.settings.locate import store_at
    from headgate.settings.store import first_of
    from headgate.spec.prepare import Limits
    from headgate.status.http import listen as listen_for_status
    from headgate.supervisor import run_workers

    try:
        reached_at = public_api(public_url) if public_url is not None else {}
    except ValueError as fault:
        raise UsageError(f"--public-url is {fault}") from None

    refuges = RefugeOptions(
        overflow_queue=overflow_queue,
        dead_letter_queue=dead_letter_queue,
        dead_letter_file=dead_letter_file,
    )
    if not service_name.strip():
        raise UsageError("--service-name is empty; allowed: a name such as headgate")
    store = store_at(sources, own_session())
    first = first_of(store)
    listening = listen(host, port)
    log_as_json_lines()
    options = ServerOptions(
        delivery=DeliverySettings(
            acknowledge_within=acknowledge_within,
            request_size=put_records_mib * _MIB,
            lane_size=lane_mib * _MIB,
            destination_size=destination_mib * _MIB,
            process_size=held_mib * _MIB,
        ),
        drain=drain,
        refuges=refuges,
        workers=workers,
        http=HttpLimits(request_bytes=max_request_bytes, connections=max_connections),
        events=Limits(events=max_events, event_bytes=max_event_bytes),
        forwarded_hops=forwarded_hops,
        public_api=reached_at,
        service=service_name,
    )
    status = listen_for_status(status_port) if status_port >= 0 else None
    if workers == 1:
        serve_forever(listening, store, first, options, status=status)
    else:
        run_workers(
            workers,
            lambda channel: serve_forever(listening, store, first, options, parent=channel),
            listening=listening,
            status=status,
            service=service_name,
        )
