"""docs/benchmarks.md and its pictures are what docs/benchmarks.json renders to."""

from pathlib import Path

import pytest

from bench import __main__ as every
from bench.document.render import documents
from bench.results import load

RENDERED = documents(load())


@pytest.mark.parametrize("path", RENDERED, ids=lambda path: path.name)
def test_the_document_is_what_was_measured(path: Path) -> None:
    assert path.read_text(encoding="utf-8") == RENDERED[path], "write it anew: python -m bench.document"


def test_every_measurement_is_in_it() -> None:
    assert set(load()) == {name.rpartition(".")[2] for name in every.MEASUREMENTS}
