"""Losses, duplicates and order beside the SDKs of AWS: `python -m bench.losses`."""

import argparse
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict
from multiprocessing import get_context

from bench.budgets import conclude
from bench.losses.report import report
from bench.losses.scenarios import KEYS, SCENARIOS, commands, run
from bench.results import Row, demand_peers

AT_ONCE = 6
"""Of those that wait most of the time: only what arrives is measured, not what it costs."""


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.losses", description=__doc__)
    parser.add_argument("--records", type=int, default=20_000, help="numbered records (default: 20,000)")
    asked = parser.parse_args()
    demand_peers()
    rows = []
    with ProcessPoolExecutor(AT_ONCE, get_context("spawn")) as pool:
        runs = [
            (who, scenario, pool.submit(run, scenario, who, asked.records))
            for scenario in SCENARIOS
            for who in commands(scenario, asked.records)
        ]
        for who, scenario, found in runs:
            figures = {name: [float(value)] for name, value in asdict(found.result()).items()}
            rows.append(Row(who, scenario.name, figures=figures))
    conclude("losses", report, rows, **vars(asked), keys=KEYS)


if __name__ == "__main__":
    main()
