"""What the document says of `cdk synth`."""

from bench.results import Row, Section
from bench.tables import table


def report(section: Section) -> str:
    head = ["CPU seconds", "Headgate's constructs", "the same resources, bare", "ratio"]
    rows = [_cells(*pair) for pair in section.kinds().values()]
    return f"""\
`cdk synth` of a stream with its own key, and a role with its policy; then of a stream, a role, and a
`Forwarder` with all that it makes. Each through Headgate's constructs and through aws-cdk-lib alone; both
make the same resources. CDK's validation is off: its seconds, the same for both, would hide a difference.

{table(head, rows)}"""


def _cells(ours: Row, bare: Row) -> list[object]:
    return [ours.what, ours["cpu"], bare["cpu"], ours["ratio"]]
