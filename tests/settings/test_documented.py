"""docs/settings.md says what is so."""

import re
from pathlib import Path

import msgspec
import pytest

from headgate.settings.schema import CALL_TYPES, Destination, Source, read_toml

TEXT = (Path(__file__).parents[2] / "docs/settings.md").read_text(encoding="utf-8")


@pytest.mark.parametrize(("kind", "type_"), [("source", Source), ("destination", Destination)])
def test_every_key_has_its_row_and_its_default(kind: str, type_: type[msgspec.Struct]) -> None:
    [rows] = re.findall(rf"^\| key of a {kind} .*\n\|[-|]+\n((?:\|.*\n)+)", TEXT, re.MULTILINE)
    told = dict(re.findall(r"^\| `(\w+)` \|.*\| ([^|]*(?:\\\|[^|]*)*) \|$", rows, re.MULTILINE))
    fields = {field.name: field for field in msgspec.structs.fields(type_)}
    assert set(told) == set(fields)
    for name, default in told.items():
        assert fields[name].required == (default == "required")
        value = fields[name].default
        if isinstance(value, bool):
            assert default == f"`{str(value).lower()}`"
        elif isinstance(value, str) and value:
            assert default == f'`"{value}"`'
        elif isinstance(value, int):
            assert default == f"{value:,}"


def test_the_example_is_what_serve_reads() -> None:
    [example] = re.findall(r"```toml\n(.*?)```", TEXT, re.DOTALL)
    [every, tracks] = read_toml(example, where="settings.md")["wk_live_1"].destinations
    assert (every.event_types, every.partitioned_by) == (CALL_TYPES, "userId || anonymousId")
    assert (tracks.event_types, tracks.partitioned_by) == (("track",), "properties.order_id")
    assert '| `"userId \\|\\| anonymousId"` |' in TEXT


def test_the_calls_are_all_there_are() -> None:
    [named] = re.findall(r"^\*\*Calls\.\*\* `event_types` is one or more of (.*?)\.", TEXT, re.MULTILINE)
    assert tuple(re.findall(r"`(\w+)`", named)) == CALL_TYPES
