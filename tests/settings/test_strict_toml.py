import msgspec
import pytest

from headgate.errors import SettingsError
from headgate.settings.strict_toml import FieldError, convert, decode


class Inner(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    stream_name: str
    region: str = "us-west-2"


class Outer(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    id: str
    rate: int | None = None
    inner: tuple[Inner, ...] = ()


class Document(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    outer: tuple[Outer, ...]


def test_a_document_becomes_its_typed_value() -> None:
    text = '[[outer]]\nid = "a"\ninner = [{stream_name = "s"}]'
    assert decode(text, Document, where="f.toml") == Document(
        outer=(Outer(id="a", inner=(Inner(stream_name="s"),)),)
    )


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("x =", "f.toml: not valid TOML: Invalid value (at end of document)"),
        ("", "f.toml: the key 'outer' is missing"),
        ("outer = 3", "f.toml: outer: expected array, got integer"),
        ("outer = []\nouter_ = 1", "f.toml: unknown key 'outer_' (did you mean 'outer'?); allowed: outer"),
        ("[[outer]]\nid = 1", "f.toml: outer[1].id: expected string, got integer"),
        (
            '[[outer]]\nid = "a"\n[[outer]]\nid = "b"\nrate = 1.5',
            "f.toml: outer[2] ('b').rate: expected integer, got number",
        ),
        (
            '[[outer]]\nid = "a"\n[[outer.inner]]\nstream_nam = "x"',
            "f.toml: outer[1] ('a').inner[1]: unknown key 'stream_nam' (did you mean 'stream_name'?); "
            "allowed: stream_name, region",
        ),
        (
            '[[outer]]\nid = "a"\n[[outer.inner]]',
            "f.toml: outer[1] ('a').inner[1]: the key 'stream_name' is missing",
        ),
    ],
)
def test_an_error_is_one_line_that_names_the_place_and_what_is_allowed(text: str, message: str) -> None:
    with pytest.raises(SettingsError) as raised:
        decode(text, Document, where="f.toml")
    assert str(raised.value) == message


class Checked(msgspec.Struct, frozen=True, kw_only=True):
    low: int = 0
    high: int = 9
    words: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if self.low > self.high:
            raise FieldError("high", f"{self.high} is below low")
        if self.low < 0:
            raise ValueError("nothing is below 0")


class Several(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    checked: tuple[Checked, ...]


@pytest.mark.parametrize(
    ("checked", "field", "problem"),
    [
        ({"low": 10}, "high", "9 is below low"),
        ({"low": "x"}, "low", "expected integer, got string"),
        ({"words": ["a", 1]}, "words", "expected string, got integer"),
    ],
)
def test_an_error_knows_the_field_where_it_is_mended(
    checked: dict[str, object], field: str, problem: str
) -> None:
    with pytest.raises(SettingsError) as raised:
        convert({"checked": [{}, checked]}, Several, where="here")
    assert (raised.value.field, raised.value.problem) == (field, problem)
    assert str(raised.value).startswith("here: checked[2]")
    assert str(raised.value).endswith(f": {problem}")


def test_an_error_of_no_one_field_knows_none_but_a_missing_key_its_own() -> None:
    for data, field in ({"checked": [], "more": 1}, None), ({}, "checked"):
        with pytest.raises(SettingsError) as raised:
            convert(data, Several, where="here")
        assert raised.value.field == field
