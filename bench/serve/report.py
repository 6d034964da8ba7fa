"""What the document says of the whole forwarder."""

from bench.results import Row, Section
from bench.tables import table


def report(section: Section) -> str:
    return f"{cost(section)}\n\n{throughput(section)}"


def cost(section: Section) -> str:
    settings = section.settings
    head = ["", "to Kinesis", "CPU s per million events", "ratio", "MiB at most"]
    rows = [
        [f"{row.who}, {row.what}", row.to, row["cpu"], row["cpu"] / first["cpu"], row["memory"]]
        for first, row in _pairs(section)
    ]
    return f"""\
`headgate serve`, one worker, driven by wrk over {settings["connections"]} connections, each answer after
PutRecords. Events of about 760 bytes, {settings["shards"]} shards, no latency added. Beside it the
collector that is usually written in Python: FastAPI on uvicorn, uvloop and httptools, a task that makes
batches, aiobotocore. It answers after PutRecords too, validates nothing, keeps no order and bounds no
memory.

{table(head, rows)}"""


def throughput(section: Section) -> str:
    rows = [
        [f"{row.who}, {row.what}", row.to, row["events"], row["events"] / first["events"], row["p99"]]
        for first, row in _pairs(section)
    ]
    return table(["", "to Kinesis", "events a second", "ratio", "p99, ms"], rows)


def _pairs(section: Section) -> list[tuple[Row, Row]]:
    """Every row behind the first of its kind, which is ours."""
    return [(rows[0], row) for rows in section.kinds().values() for row in rows]
