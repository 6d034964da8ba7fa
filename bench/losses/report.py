"""What the document says of losses and order."""

from bench.results import Row, Section
from bench.tables import table


def report(section: Section) -> str:
    settings = section.settings
    names = list(dict.fromkeys(row.what for row in section.rows))
    who = list(dict.fromkeys(row.who for row in section.rows))
    rows = [[each, *(_found(section.row(each, name)) for name in names)] for each in who]
    seconds = [[each, *(_seconds(section.row(each, name)) for name in names)] for each in who]
    return f"""\
{settings["records"]:,} numbered records of {settings["keys"]} partition keys, and what the stream then
holds: **missing / duplicates / inversions**. An inversion is a record that came in behind a later one of
its key. *Stops* means that the program ended with an error, as these loops do after the SDK's own
attempts. The record that is larger than the stream takes is not counted as missing. Eight requests in
flight promise no order even where nothing is wrong.

{table(["", *names], rows)}

What that took, in seconds with the program's start, and in requests. Headgate's seconds are the price of
pacing: where throttling has nothing to do with the pace, each lane takes every refusal for its shard's
limit and slows down, to no avail.

{table(["", *names], seconds)}"""


def _found(row: Row) -> str:
    counts = " / ".join(f"{int(row[figure]):,}" for figure in ("missing", "duplicates", "inversions"))
    return f"stops: {counts}" if row["stopped"] else counts


def _seconds(row: Row) -> str:
    return f"{row['seconds']:.0f} s, {int(row['requests']):,}"
