"""The environment prod as it is synthesized, for the documents that describe what it deploys."""

from pathlib import Path

import pytest

from tests.examples.synthesis import ROOT, synthesize


@pytest.fixture(scope="session")
def assembly(tmp_path_factory: pytest.TempPathFactory) -> Path:
    # The command line of CDK asks for the construct paths, too.
    context = {"env": "prod", "aws:cdk:enable-path-metadata": "true"}
    synthesis = synthesize(ROOT / "app.py", tmp_path_factory.mktemp("prod"), checked=False, **context)
    assert synthesis.done.returncode == 0, synthesis.done.stderr
    return synthesis.outdir
