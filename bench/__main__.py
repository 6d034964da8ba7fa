"""Every measurement, one after the other, and the document of them: `python -m bench`, or `make bench`."""

import argparse
import shutil
import subprocess
import sys
import time

from bench.processes import ROOT, environment
from bench.results import demand_peers

MEASUREMENTS = {
    "delivery": ["--rounds", "2", "--records", "20000"],
    "serve": ["--rounds", "1", "--seconds", "1"],
    "acknowledge": ["--rounds", "1", "--seconds", "1"],
    "losses": ["--records", "2000"],
    "goodput": ["--seconds", "4"],
    "outage": ["--seconds", "6"],
    "growth": ["--rounds", "1"],
    "synth": ["--rounds", "1"],
    "ingest": ["--rounds", "1", "--seconds", "1"],
    "ingest.spec": [],
    "wire": [],
    "tail": ["--rounds", "1"],
}
"""Each, and what makes it short."""


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="short runs: to see that all of it works")
    quick = parser.parse_args().quick
    demand_peers()
    if shutil.which("wrk") is None:
        sys.exit("wrk sends the requests; on Debian: apt-get install wrk")
    failed = []
    for name, short in MEASUREMENTS.items():
        began = time.monotonic()
        print(f"\n## bench.{name}\n", flush=True)
        command = [sys.executable, "-m", f"bench.{name}", *(short if quick else [])]
        status = subprocess.run(command, env=environment({}), cwd=ROOT, check=False).returncode
        if status:
            failed.append(f"bench.{name}: {status}")
        print(f"\n({time.monotonic() - began:.0f} s)", flush=True)
    subprocess.run([sys.executable, "-m", "bench.document"], env=environment({}), cwd=ROOT, check=True)
    sys.exit(f"over a budget, or not measured; exit statuses: {', '.join(failed)}" if failed else 0)


if __name__ == "__main__":
    main()
