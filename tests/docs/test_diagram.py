"""docs/deploy.svg shows what is deployed: each resource of the environment prod, and nothing else."""

import html
import json
import re
from pathlib import Path
from typing import Any

import pytest

from docs.diagram.draw import TYPE, between_stacks, drawn_as, simplify, walk
from tests.examples.synthesis import ROOT

PICTURE = ROOT / "docs/deploy.svg"
STACKS = {"headgate-prod-stream", "headgate-prod-forwarder"}


@pytest.fixture
def tree(assembly: Path) -> dict[str, Any]:
    root: dict[str, Any] = json.loads((assembly / "tree.json").read_text())["tree"]
    return root


def resources(tree: dict[str, Any]) -> set[tuple[str, str]]:
    return {
        (each["path"], each["attributes"][TYPE])
        for each in walk(tree)
        if TYPE in each.get("attributes", {}) and each["attributes"][TYPE] != "AWS::CDK::Metadata"
    }


def titles(kind: str) -> list[str]:
    """What Graphviz names its nodes or edges: construct paths."""
    found = re.findall(rf'class="{kind}">\s*<title>([^<]+)</title>', PICTURE.read_text())
    return [html.unescape(each) for each in found]


def test_every_resource_is_in_the_picture_and_all_that_is_drawn_exists(tree: dict[str, Any]) -> None:
    drawn = set(titles("node"))
    shown = {drawn_as(path, drawn) for path, _ in resources(tree)}
    assert shown == drawn, "draw it anew: make diagram"
    assert {path.partition("/")[0] for path in drawn} == STACKS


def test_every_name_can_be_read(tree: dict[str, Any]) -> None:
    texts = {text.strip() for text in re.findall(r"<text[^>]*>([^<]+)</text>", PICTURE.read_text())}
    assert {path.rpartition("/")[2] for path in titles("node")} | STACKS <= {
        html.unescape(text) for text in texts
    }


def test_the_role_of_the_forwarder_leads_to_the_stream() -> None:
    assert "headgate-prod-forwarder/Role->headgate-prod-stream/Stream" in titles("edge")


def test_the_picture_needs_no_file_beside_it() -> None:
    links = re.findall(r'xlink:href="([^"]+)"', PICTURE.read_text())
    assert len(links) > 10
    assert all(link.startswith(("#icon", "data:image/png;base64,")) for link in links)


def test_simplifying_loses_no_resource(tree: dict[str, Any]) -> None:
    before = resources(tree)
    simplify(tree)
    assert resources(tree) == before


def test_lines_between_stacks_are_those_of_the_weak_references(assembly: Path, tree: dict[str, Any]) -> None:
    simplify(tree)
    used = set(between_stacks(assembly, tree))
    assert {to for _, to in used} >= {"headgate-prod-stream/Stream/Resource/Resource"}
    assert {by.partition("/")[0] for by, _ in used} == {"headgate-prod-forwarder"}
