"""What the document says of `headgate tail`."""

from bench.results import Section
from bench.tables import table


def report(section: Section) -> str:
    settings = section.settings
    head = ["CPU s per million records", "HTTP", "TLS", "records a second", "MiB at most"]
    plain, tls = ([row for row in section.rows if row.to == to] for to in ("HTTP", "TLS"))
    rows = [
        [one.who, one["cpu"], two["cpu"], one["rate"], max(one.figures["memory"])]
        for one, two in zip(plain, tls, strict=True)
    ]
    return f"""\
From GetRecords' answers to lines in a pipe: {settings["records"]:,} events of about 790 bytes in
{settings["shards"]} shards. Beside it the loop that is usually written: boto3, `json.loads`, `json.dumps`,
one shard after the other. What a process takes to begin and to end is subtracted, and every line counted.

{table(head, rows)}

Records a second are bounded by the 2 MB a second that a shard gives its readers, which `tail` keeps to."""
