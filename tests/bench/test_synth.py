"""What `bench.synth` compares makes the same resources, so that its ratio means something."""

from pathlib import Path

import pytest

from bench.synth.__main__ import WORK, python_alone, resources, run


@pytest.mark.parametrize("work", WORK)
def test_headgates_constructs_and_the_bare_ones_make_the_same(work: str, tmp_path: Path) -> None:
    made = []
    for name, app in WORK[work].items():
        (tmp_path / name).mkdir()
        run(python_alone(app), tmp_path / name)
        made.append(resources(tmp_path / name))
    assert made[0] == made[1]
