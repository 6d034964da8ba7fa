"""What holds for the checkout as a whole: its locks, and what its documents point at."""

import json
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest

from headgate.settings.file_store import read_sources

ROOT = Path(__file__).parents[1]
LOCKS = sorted([*ROOT.glob("runtime/*.txt"), *ROOT.glob("requirements/*.txt")])
DOCUMENTS = [ROOT / "README.md", ROOT / "CHANGELOG.md", *sorted((ROOT / "docs").glob("*.md"))]
LINK = re.compile(r"\]\(([^)\s]+)\)")


def name(path: Path) -> str:
    return str(path.relative_to(ROOT))


def locked(lock: Path) -> set[str]:
    return set(re.findall(r"^([a-z0-9-]+)==", lock.read_text(encoding="utf-8"), re.MULTILINE))


def test_the_image_holds_the_runtime_and_no_cdk() -> None:
    in_image = locked(ROOT / "runtime/requirements.txt")
    assert {"boto3", "msgspec", "typer"} <= in_image
    assert not {each for each in in_image if each.startswith(("aws-cdk", "constructs", "jsii"))}
    assert "aws-cdk-lib" in locked(ROOT / "requirements/dev.txt")


def test_the_image_with_audiences_holds_duckdb_besides() -> None:
    assert locked(ROOT / "runtime/requirements-audiences.txt") == {"duckdb"}


def test_what_is_in_an_image_is_what_the_tests_run_with() -> None:
    pins = {
        lock: set(re.findall(r"^[a-z0-9-]+==\S+", lock.read_text(encoding="utf-8"), re.MULTILINE))
        for lock in LOCKS
    }
    dev = pins[ROOT / "requirements/dev.txt"]
    assert all(pins[lock] <= dev for lock in ROOT.glob("runtime/*.txt"))


@pytest.mark.parametrize("lock", LOCKS, ids=name)
def test_a_lock_pins_by_hash_and_names_no_index(lock: Path) -> None:
    text = lock.read_text(encoding="utf-8")
    pins = re.split(r"^(?=[a-z0-9-]+==)", text, flags=re.MULTILINE)[1:]
    assert pins
    assert all("--hash=sha256:" in pin for pin in pins)
    assert not re.findall(r"://|--(?:extra-)?index-url|--find-links|--trusted-host", text)


@pytest.mark.parametrize(
    ("room", "holds"),
    [(".", "aws-cdk"), ("bench/peers", "@aws-sdk/client-kinesis"), ("docs/diagram", "cdk-dia")],
)
def test_a_node_lock_pins_by_hash_and_names_no_registry(room: str, holds: str) -> None:
    packages: dict[str, dict[str, Any]] = json.loads((ROOT / room / "package-lock.json").read_text())[
        "packages"
    ]
    installed = {where: package for where, package in packages.items() if where}
    assert f"node_modules/{holds}" in installed
    for where, package in installed.items():
        assert "resolved" not in package, where
        assert package.get("integrity") or package.get("inBundle"), where


def test_every_target_that_a_document_names_is_one() -> None:
    text = "".join(document.read_text(encoding="utf-8") for document in DOCUMENTS)
    code = "".join(re.findall(r"```.*?```|`[^`\n]+`", text, re.DOTALL))
    named = set(re.findall(r"(?:`|\$ |^  )make +([a-z]+)", code, re.MULTILINE))
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    assert {"demo", "test"} <= named <= targets


def test_the_readme_shows_what_make_help_prints() -> None:
    # Under `make test` this make is a sub-make, which says so unless it is told not to.
    command = ["make", "--no-print-directory", "help"]
    printed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=30, check=True)
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    assert f"$ make help\n{printed.stdout.strip(chr(10))}\n```" in readme


def test_the_sources_of_the_readme_are_what_serve_reads(tmp_path: Path) -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    [example] = re.findall(r"```toml\n(.*?)```", readme, re.DOTALL)
    (tmp_path / "sources.toml").write_text(example, encoding="utf-8")
    sources = read_sources(tmp_path / "sources.toml")
    assert [source.id for source in sources.values()] == ["8kf3Qw2LpZ"]
    assert all(f"curl -u {write_key}:" in readme for write_key in sources)


@pytest.mark.parametrize("document", DOCUMENTS, ids=name)
def test_every_link_leads_somewhere(document: Path) -> None:
    for link in LINK.findall(document.read_text(encoding="utf-8")):
        path = link.partition("#")[0]
        if path and "://" not in path:
            assert (document.parent / path).exists(), link
