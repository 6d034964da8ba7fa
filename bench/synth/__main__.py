"""Run both apps in turn, and show what ours takes more: `python -m bench.synth`."""

import argparse
import json
import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.budgets import FORWARDER, STREAM, conclude
from bench.results import OURS, Row
from bench.synth.report import report

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
WORK = {
    STREAM: {name: HERE / f"{name}.py" for name in ("ours", "bare")},
    FORWARDER: {name: HERE / f"{name}_forwarder.py" for name in ("ours", "bare")},
}


Command = Callable[[Path], list[str | Path]]


@dataclass(frozen=True)
class Cost:
    """What one run took: seconds of the clock, and CPU seconds of all its processes."""

    wall: float
    cpu: float


def run(command: list[str | Path], outdir: Path) -> Cost:
    """Run one synth and measure it."""
    node = Path(sys.executable).with_name("node")
    environment = {
        **os.environ,
        **({"JSII_NODE": str(node)} if node.is_file() else {}),
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        "PYTHONPATH": f"{ROOT}{os.pathsep}{ROOT / 'runtime'}",
        "CDK_OUTDIR": str(outdir),
        # Seconds of validation, the same for both, would make every ratio look better than it is.
        "CDK_VALIDATION": "false",
    }
    written = outdir / "written"
    began = time.perf_counter()
    with written.open("wb") as output:
        process = subprocess.Popen(command, env=environment, cwd=outdir, stdout=output, stderr=output)
        _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    wall = time.perf_counter() - began
    if process.returncode:
        sys.exit(f"{command} ended with status {process.returncode}\n{written.read_text()}")
    return Cost(wall, usage.ru_utime + usage.ru_stime)


def python_alone(app: Path) -> list[str | Path]:
    return [sys.executable, app]


def cdk_synth(app: Path) -> list[str | Path]:
    cdk = ROOT / "node_modules" / ".bin" / "cdk"
    return [cdk, "synth", "--quiet", "--no-validation", "--no-notices", "--app", f"{sys.executable} {app}"]


def resources(outdir: Path) -> list[str]:
    """A template's resources, their logical IDs numbered by type, to be compared."""
    [path] = outdir.glob("*.template.json")
    made = json.loads(path.read_text())["Resources"]
    types = {name: one["Type"] for name, one in made.items()}

    def numbered(one: dict[str, Any]) -> str:
        text = json.dumps(one | {"Metadata": None}, sort_keys=True)
        return re.sub(r'"(\w+)"', lambda found: json.dumps(types.get(found[1], found[1])), text)

    return sorted(map(numbered, made.values()))


def measured(apps: dict[str, Path], command: Command, rounds: int) -> dict[str, list[Cost]]:
    """Run both apps in turn; the first run of each warms caches, and shows that both make the same."""
    costs: dict[str, list[Cost]] = {name: [] for name in apps}
    made: dict[str, list[str]] = {}
    for number in range(rounds + 1):
        for name in list(apps)[:: 1 if number % 2 else -1]:
            with tempfile.TemporaryDirectory() as directory:
                cost = run(command(apps[name]), Path(directory))
                if number:
                    costs[name].append(cost)
                elif command is python_alone:
                    made[name] = resources(Path(directory))
    if made and made["ours"] != made["bare"]:
        sys.exit("the two apps do not make the same resources, so their times say nothing")
    return costs


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.synth", description=__doc__)
    parser.add_argument("--rounds", type=int, default=3, help="runs of each app, in turn (default: 3)")
    asked = parser.parse_args()
    rows = []
    for work, apps in WORK.items():
        for title, command in (("", cdk_synth), (", `python app.py` alone", python_alone)):
            costs = measured(apps, command, asked.rounds)
            ours, bare = (Row(name, f"{work}{title}") for name in (OURS, "bare"))
            for mine, others in zip(costs["ours"], costs["bare"], strict=True):
                ours.add(cpu=mine.cpu, wall=mine.wall)
                bare.add(cpu=others.cpu, wall=others.wall)
            ours.add(ratio=ours["cpu"] / bare["cpu"])  # the clock counts what else the machine does
            rows += [ours, bare]
    conclude("synth", report, rows, **vars(asked))


if __name__ == "__main__":
    main()
