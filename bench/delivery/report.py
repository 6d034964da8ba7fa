"""What the document says of delivery alone."""

from bench.delivery.records import BYTES, KEYS
from bench.results import Row, Section
from bench.tables import table


def report(section: Section) -> str:
    return f"{cost(section)}\n\n{throughput(section)}"


def cost(section: Section) -> str:
    settings = section.settings
    return f"""\
From records in memory to Kinesis' answers, which come after {settings["latency"] * 1000:g} ms. Records of
{BYTES} bytes, {KEYS:,} partition keys, {settings["shards"]} shards. Everybody has about 4,000 records
under way: Headgate as submitted requests of 50 records or of one, the others as eight PutRecords of 500
(boto3, which can only wait, one).

{table(["CPU s per million records", "HTTP", "ratio", "TLS", "ratio"], _beside(section, "cpu"))}

The peers do less: they know no lanes, keep no order, pace nothing and tell nobody when a request of several
records is safe. The stand-in itself took {settings["standin"]:.2f} CPU seconds per million records."""


def throughput(section: Section) -> str:
    return table(
        ["delivery alone, records a second", "HTTP", "ratio", "TLS", "ratio"], _beside(section, "rate")
    )


def _beside(section: Section, figure: str) -> list[list[object]]:
    """Rows of a figure over both protocols, each with its ratio to our first."""
    plain, tls = ([row for row in section.rows if row.to == to] for to in ("HTTP", "TLS"))

    def cells(row: Row, first: Row) -> list[object]:
        return [row[figure], row[figure] / first[figure]]

    return [
        [one.who, *cells(one, plain[0]), *cells(two, tls[0])] for one, two in zip(plain, tls, strict=True)
    ]
