"""What `bench.synth` compares makes the same resources, so that its ratio means something."""

from pathlib import Path

from bench.budgets import FORWARDER
from bench.synth.__main__ import WORK, python_alone, resources, run


def test_headgates_constructs_and_the_bare_ones_make_the_same(tmp_path: Path) -> None:
    made = []
    for name, app in WORK[FORWARDER].items():
        (tmp_path / name).mkdir()
        run(python_alone(app), tmp_path / name)
        made.append(resources(tmp_path / name))
    assert made[0] == made[1]
