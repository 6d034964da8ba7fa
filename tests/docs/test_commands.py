"""Every command that a document tells its readers to run works, and prints what stands under it."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.docs.commands import DOCUMENTS, Command, commands_of
from tests.docs.sandbox import AWSCLI, World, files, world
from tests.examples.synthesis import ROOT

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not AWSCLI.exists(), reason="the AWS CLI is not set up: make .tools/awscli/.ready"),
]

ELSEWHERE = {
    r"\S+: make (demo|console)": "tests/acceptance/test_demo.py",
    r"\S+: npx cdk (bootstrap|deploy|diff|destroy|synth) .*": "tests/acceptance/test_cdk_cli.py",
    r"docs/image.md: docker (build|run) .*": "tests/acceptance/test_image.py",
    r"docs/console.md: headgate (console) .*": "tests/acceptance/test_console.py",
    r"docs/operate.md: headgate (check) .*": "tests/acceptance/test_check.py",
    r"docs/operate.md: (headgate tail .*?) --message-id .*": "tests/cli/test_operate.py",
    r"docs/operate.md: (headgate (?:tail|shards) .*)": "tests/cli/test_operate.py",
    r"docs/operate.md: (headgate plan) .*": "tests/cli/test_operate.py",
    r"docs/operate.md: headgate redrive .*?( --(?:list|show 1|dry-run|max-records-per-second 500))": (
        "tests/cli/test_operate.py"
    ),
}
"""What needs more than a shell, and the test that runs it; what the parentheses match stands in that test."""
FAILS = {
    "headgate redrive --dead-letter-file dead-letters.jsonl --sources sources.toml": 1,
    "headgate settings set 8kf3Qw2LpZ enabled=false --if-version 4": 1,
}
"""Commands that are shown failing, and their exit status."""


@pytest.fixture(scope="module")
def deployed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with world(tmp_path_factory.mktemp("world")) as made:
        yield made


def elsewhere(command: Command) -> tuple[str, Path] | None:
    """Return what of a command is looked for in the test that runs it, and that test."""
    for pattern, test in ELSEWHERE.items():
        if found := re.fullmatch(pattern, str(command)):
            return (found[found.lastindex or 0] if found.lastindex else "", ROOT / test)
    return None


def alike(text: str) -> str:
    """A text without its figures and callers, and without what steers a terminal."""
    text = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", text)
    text = re.sub(r"arn:aws:(?:iam|sts)::\S+", "arn", text)
    return re.sub(r"\s+", " ", re.sub(r"\d[\d,.]*", "0", text)).strip()


EVERY = [command for document in DOCUMENTS for command in commands_of(document)]


@pytest.mark.parametrize("document", sorted({each.document for each in EVERY}))
def test_a_reader_who_runs_each_command_of_a_document_sees_what_it_shows(
    document: str, deployed: World, tmp_path: Path
) -> None:
    commands = [each for each in commands_of(ROOT / document) if elsewhere(each) is None]
    files(tmp_path)
    for command, ran in zip(commands, deployed.run([each.text for each in commands], tmp_path), strict=True):
        assert ran.status == FAILS.get(command.text, 0), (command.text, ran.printed)
        for line in filter(str.strip, command.shown.splitlines()):
            assert alike(line) in alike(ran.printed), (command.text, ran.printed)


@pytest.mark.parametrize("pattern", ELSEWHERE)
def test_what_is_run_by_another_test_is_named_in_it(pattern: str) -> None:
    found = [named for each in EVERY if re.fullmatch(pattern, str(each)) and (named := elsewhere(each))]
    assert found, "no document has such a command any more"
    for words, test in found:
        assert words in test.read_text(encoding="utf-8"), test
