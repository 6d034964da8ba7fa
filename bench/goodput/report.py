"""What the document says of shards that throttle."""

from bench.results import Row, Section
from bench.tables import table


def report(section: Section) -> str:
    settings = section.settings
    ours, *_ = section.rows
    told = {name: int(ours[name]) for name in ours.figures if name.startswith("told ")}
    outcomes = ", ".join(f"{count:,} {name.removeprefix('told ')}" for name, count in sorted(told.items()))
    head = ["shards that throttle", "% of limits accepted", "% of bytes sent again", "acknowledged, lost"]
    return f"""\
{settings["shards"]} shards that throttle as Kinesis does, offered {settings["overload"]:g} times what they
take for {settings["seconds"]} s, after {settings["settling"]} s that do not count. boto3 is the loop that
is written everywhere: 500 records, then again those of them that failed, as fast as that goes.

{table(head, map(_cells, section.rows))}

What Headgate told of the records that it was offered: {outcomes}."""


def _cells(row: Row) -> list[object]:
    lost = int(row["lost"]) if "lost" in row.figures else ""
    return [row.who, row["share"], row["again"], lost]
