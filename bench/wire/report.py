"""What the document says of single requests."""

from bench.results import Row, Section
from bench.tables import table

COUNTS = (1, 60, 500)
"""Records in a request."""
BUILD, READ, WHOLE = "build and sign", "read the answer", "whole request"


def report(section: Section) -> str:
    settings = section.settings
    alone = [[f"{row.what}: {row.who}", *_cells(row)] for row in section.rows if row.what != WHOLE]
    plain, tls = ([row for row in section.rows if row.to == to] for to in ("HTTP", "TLS"))
    whole = [[one.who, *_cells(one), *_cells(two)] for one, two in zip(plain, tls, strict=True)]
    counts = [str(count) for count in COUNTS]
    return f"""\
CPU of PutRecords on our side, in seconds per million records. Records of {settings["bytes"]} bytes. The
columns are records per request.

{table(["no network", *counts], alone)}

{table([WHOLE, *(f"HTTP: {count}" for count in counts), *(f"TLS: {count}" for count in counts)], whole)}

{settings["at_once"]} requests are in flight, but for boto3, which sends one after the other."""


def _cells(row: Row) -> list[float]:
    return [row[str(count)] for count in COUNTS]
