"""Bytecodes that Python runs for an event: `python -m bench.bytecodes`. The same in every run."""

import argparse

from bench.bytecodes.counting import PACKAGE
from bench.bytecodes.work import Counted, batches, delivery_alone, single_events

WORK = {
    "one event a request": single_events,
    "batches of 50": batches,
    "delivery alone, requests of 50": delivery_alone,
}
ROOMS = ("ingest", "spec", "delivery")


def show_functions(title: str, counted: Counted) -> None:
    print(f"\n{title}: bytecodes an event, calls an event")
    for (room, code), run in counted.bytecodes.run.most_common():
        calls = counted.bytecodes.calls[room, code]
        where = code.co_filename.removeprefix(PACKAGE) if code.co_filename.startswith(PACKAGE) else room
        print(f"{run / counted.events:8.1f} {calls / counted.events:6.2f}  {where}  {code.co_qualname}")


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.bytecodes", description=__doc__)
    parser.add_argument("--functions", action="store_true", help="list what each function takes, too")
    asked = parser.parse_args()
    counted = {title: work() for title, work in WORK.items()}
    print(f"| bytecodes an event | all | {' | '.join(ROOMS)} |")
    print("|---" * (len(ROOMS) + 2) + "|")
    for title, each in counted.items():
        rooms = [each.bytecodes.rooms[room] / each.events for room in ROOMS]
        print(f"| {title} | {each.per_event:.0f} | {' | '.join(f'{room:.0f}' for room in rooms)} |")
    if asked.functions:
        for title, each in counted.items():
            show_functions(title, each)


if __name__ == "__main__":
    main()
