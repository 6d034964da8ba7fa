"""What the document says of the HTTP side."""

from bench.results import Row, Section
from bench.tables import table


def report(section: Section) -> str:
    head = ["CPU s per million events", "Headgate", "uvicorn, JSON echo", "ratio"]
    return f"""\
The HTTP side on real sockets, with a delivery that says yes at once, driven by wrk. Beside it the least
that an ASGI app on uvicorn can do with the same requests: read the JSON and write it back.

{table(head, (_cells(*pair) for pair in section.kinds().values()))}"""


def _cells(ours: Row, echo: Row) -> list[object]:
    return [ours.what, ours["cpu"], echo["cpu"], echo["cpu"] / ours["cpu"]]
