"""What the document says of memory while Kinesis is down."""

from bench.results import Section
from bench.tables import table


def report(section: Section) -> str:
    settings = section.settings
    samples = [row.figures["during"] for row in section.rows]
    step = settings["seconds"] / len(samples[0])
    rows: list[list[object]] = [["before, at full load", *(row["before"] for row in section.rows)]]
    rows += [
        [f"after {number * step:g} s", *(each[number - 1] for each in samples)]
        for number in range(2, len(samples[0]) + 1, 2)
    ]
    rows.append(["at most, from start to end", *(row["most"] for row in section.rows)])
    recovered = " and ".join(f"{row['recovered']:,.0f}" for row in section.rows)
    return f"""\
MiB of one worker of `headgate serve` while Kinesis is down and {settings["connections"]} connections of
wrk send batches of 50 as fast as they are refused.

{table(["", *(row.what for row in section.rows)], rows)}

Within {settings["afterwards"]} s from the end of the outage {recovered} records were accepted. Where no
answer comes, the four requests in flight are held for ten seconds each, beside what waits."""
