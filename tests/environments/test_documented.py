"""Every key of an environment file is described where a user looks: in the docs and in the editor."""

import json
import re
import typing
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from environments import Environment, schema
from headgate.settings.schema import Sources
from headgate.settings.strict_toml import decode

ROOT = Path(__file__).parents[2]


def keys(table: type[msgspec.Struct], path: str = "") -> Iterator[tuple[str, msgspec.structs.FieldInfo]]:
    for field in msgspec.structs.fields(table):
        yield f"{path}{field.encode_name}", field
        for inner in structs_in(field.type):
            yield from keys(inner, f"{path}{field.encode_name}.")


def structs_in(type_: Any) -> Iterator[type[msgspec.Struct]]:
    if isinstance(type_, type) and issubclass(type_, msgspec.Struct):
        yield type_
    for argument in typing.get_args(type_):
        yield from structs_in(argument)


KEYS = dict(keys(Environment))
ROWS = {
    match["key"]: match["default"]
    for match in re.finditer(
        r"^\| `(?P<key>[a-z_.]+)` \| [^|]+ \| (?P<default>[^|]+) \| [^|]+ \|$",
        (ROOT / "docs/environments.md").read_text(),
        re.MULTILINE,
    )
}


def test_the_docs_describe_every_key_and_no_other() -> None:
    assert set(ROWS) == set(KEYS)


@pytest.mark.parametrize("key", KEYS)
def test_the_docs_tell_the_default(key: str) -> None:
    field = KEYS[key]
    if field.required:
        assert ROWS[key] == "required"
    elif field.default not in (msgspec.NODEFAULT, None):
        assert ROWS[key] == f"`{json.dumps(field.default)}`"
    elif field.default is msgspec.NODEFAULT:
        assert ROWS[key] == "`{}`"


def test_the_editors_schema_is_current() -> None:
    assert schema.FILE.read_text() == schema.text(), "write it anew: python -m environments.schema"


def test_the_editors_schema_describes_every_key() -> None:
    tables = json.loads(schema.text())["$defs"].values()
    described = [value for table in tables for value in table["properties"].values()]
    assert len(described) == len({(table["title"], key) for table in tables for key in table["properties"]})
    assert all(value["description"].strip() for value in described)


@pytest.mark.parametrize("file", sorted((ROOT / "environments").glob("*.toml")), ids=lambda path: path.stem)
def test_the_files_name_the_schema(file: Path) -> None:
    assert file.read_text().startswith(f"#:schema ./{schema.FILE.name}\n")


BLOCKS = re.findall(r"```toml\n(.*?)```", (ROOT / "docs/environments.md").read_text(), re.DOTALL)
ENVIRONMENT = 'region = "us-west-2"\n'
ROLE = '[role]\nsource_ids = ["ab"]\n'
FORWARDER = '[forwarder]\ndomain_name = "events.example.com"\ncertificate_arn = "c"\nsources_secret = "s"\n'


@pytest.mark.parametrize("block", BLOCKS)
def test_the_examples_of_the_docs_are_valid(block: str) -> None:
    if block.startswith("[[sources]]"):
        decode(block, Sources, where="docs")
        return
    # What is only part of a file gets the rest of it.
    if block.startswith(("[forwarder.", "[[forwarder.", "[[audiences]]")):
        block = FORWARDER + block
    if "[role]" not in block:
        block = ROLE + block
    if "region = " not in block.split("[")[0]:
        block = ENVIRONMENT + block
    decode(block, Environment, where="docs")
