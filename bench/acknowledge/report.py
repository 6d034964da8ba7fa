"""What the document says of the time to an acknowledgement."""

from bench.results import Section
from bench.tables import table


def report(section: Section) -> str:
    settings = section.settings
    head = ["", "events a second at most", "sent a second", "p50, ms", "p99, ms"]
    rows = [
        [f"{row.who}, {row.what}", row["most"], row["rate"], row["p50"], row["p99"]] for row in section.rows
    ]
    return f"""\
How long a client waits for its 200, where Kinesis takes {settings["latency"] * 1000:g} ms. First wrk
finds how much a collector takes at most; then clients send half of that on a fixed schedule over
{settings["connections"]} connections, and each delay counts from when its request was due, so that
what a stall holds up counts. Headgate is sent half of what the peer takes at most, too.

{table(head, rows)}"""
