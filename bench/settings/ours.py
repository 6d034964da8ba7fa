"""What a worker does with the settings of a table, one thing after the other, each with its CPU and time.

`python -m bench.settings.ours SOURCES` prints a JSON object; the table is at `AWS_ENDPOINT_URL`.
"""

import json
import os
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import botocore.session

from bench.processes import memory
from headgate.ingest.routes import Routes
from headgate.settings.file_store import FileStore
from headgate.settings.table.client import SettingsTable
from headgate.settings.table.sealing import Sealing
from headgate.settings.table.store import TableStore
from headgate.settings.table.stored import StoredDestination, StoredSource, export, sealed
from headgate.settings.table.transactions import Change
from headgate.settings.table.writer import Writer

TABLE, ROLE = "settings", "arn:aws:iam::123456789012:role/writer"
LOOKS = 100
Result = TypeVar("Result")


@dataclass
class Cost:
    cpu: float
    seconds: float


def source(number: int, name: str = "") -> StoredSource:
    """One of many sources: two write keys, a page's origin, one destination with a Secret ID."""
    destination = StoredDestination(
        stream_name="events", role_address=ROLE, secret_id=f"secret-id-of-source-{number:06}"
    )
    return StoredSource(
        id=f"source-{number:06}",
        name=name or f"Website {number}",
        write_keys=(write_key(number), f"another-{write_key(number)}"),
        allowed_origins=(f"https://www{number}.example.com",),
        destinations=(destination,),
    )


def write_key(number: int) -> str:
    return f"write-key-of-a-source-{number:08}"


def measured(costs: dict[str, Cost], name: str, do: Callable[[], Result], times: int = 1) -> Result:
    cpu, began = time.process_time(), time.perf_counter()
    for _ in range(times):
        result = do()
    costs[name] = Cost((time.process_time() - cpu) / times, (time.perf_counter() - began) / times)
    return result


def lookups(routes: Routes, keys: list[str]) -> float:
    """Return the microseconds of looking one of these keys up."""
    began = time.process_time()
    for key in keys:
        routes.get(key)
    return (time.process_time() - began) / len(keys) * 1e6


def main(count: int) -> None:
    session = botocore.session.get_session()
    table = SettingsTable(session, TABLE)
    encrypt = Sealing(session, table.region, about="bench").encrypting(lambda: "key")
    writer = Writer(table=table, who="bench")
    costs: dict[str, Cost] = {}
    wanted = [sealed(source(number), encrypt) for number in range(count)]
    measured(costs, "import", lambda: writer.write([Change(None, each) for each in wanted]))

    before = memory(os.getpid())
    store = TableStore(session, TABLE)
    sources = measured(costs, "first read", lambda: store.latest().sources())
    assert len(sources) == 2 * count
    routes = measured(costs, "routes", lambda: Routes(sources))
    held = memory(os.getpid()) - before
    again = store.latest()
    measured(costs, "look, nothing changed", store.latest, LOOKS)

    changed = table.source(source(count // 2).id)
    assert changed is not None
    writer.write([Change(changed, sealed(source(count // 2, "Changed"), encrypt))])
    assert store.latest().stamp != again.stamp
    sources = measured(costs, "look, one changed", lambda: store.latest().sources())
    assert sum(each.name == "Changed" for each in sources.values()) == 2
    routes = measured(costs, "routes after that", lambda: Routes(sources, routes))

    keys = [write_key(number) for number in range(count)]
    looked_up = {
        "a key for the first time": lookups(routes, keys),
        "a key": lookups(routes, keys),
        "an unknown key": lookups(routes, [f"unknown-{key}" for key in keys]),
    }
    path = Path(os.environ["BENCH_FILE"])
    path.write_text(export(map(source, range(count))), encoding="utf-8")
    plain = measured(costs, "the same from a file", lambda: FileStore(path).latest().sources())
    of_file = Routes(plain)
    lookups(of_file, keys)
    looked_up["a key of the file"] = lookups(of_file, keys)
    print(json.dumps({"costs": {k: vars(v) for k, v in costs.items()}, "us": looked_up, "mib": held}))


if __name__ == "__main__":
    main(int(sys.argv[1]))
