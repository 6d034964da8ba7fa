import msgspec
import pytest

from headgate.errors import SettingsError
from headgate.settings.strict_toml import decode


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
