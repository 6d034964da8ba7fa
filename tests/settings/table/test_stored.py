"""The form that a table and an export have: nothing of a source is lost on the way through it."""

from base64 import b64decode, b64encode
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from headgate.errors import SettingsError
from headgate.settings.schema import Destination, Source
from headgate.settings.table.stored import StoredSource, export, opened, read_export, sealed
from headgate.settings.write_keys import hashed, is_hashed

ROLE = "arn:aws:iam::123456789012:role/writer"


def encrypt(secret_id: str, source_id: str, stream_name: str) -> str:
    return b64encode(msgspec.json.encode([secret_id, source_id, stream_name])).decode()


def decrypt(encrypted: str, source_id: str, stream_name: str) -> str:
    secret_id, *context = msgspec.json.decode(b64decode(encrypted))
    assert context == [source_id, stream_name]
    return str(secret_id)


texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
names = st.text("abc_.-", min_size=1, max_size=8)
secret_ids = st.text("abc+=,.@:/-", min_size=2, max_size=20)
destinations = st.builds(
    lambda secret_id, **fields: Destination(
        secret_id=secret_id, role_address=ROLE if secret_id is not None else None, **fields
    ),
    secret_id=st.none() | secret_ids,
    stream_name=names,
    region=st.sampled_from(["us-west-2", "eu-west-1"]),
    ordering=st.sampled_from(["lane", "strict"]),
    max_record_kib=st.integers(1024, 10240),
    wire=st.sampled_from(["auto", "cbor", "json"]),
    enabled=st.booleans(),
)


def sources_of(number: int) -> st.SearchStrategy[Source]:
    return st.builds(
        Source,
        id=texts.filter(bool).map(lambda text: f"{number} {text}"),
        name=texts,
        write_keys=st.lists(texts.filter(bool), min_size=1, max_size=3, unique=True).map(
            lambda keys: tuple(f"{number} {key}" for key in keys)
        ),
        enabled=st.booleans(),
        allowed_origins=st.sampled_from([("*",), ("https://a.example", "null"), ()]),
        max_events_per_second=st.none() | st.integers(1, 10**9),
        destinations=st.lists(
            destinations, min_size=1, max_size=3, unique_by=lambda each: (each.region, each.stream_name)
        ).map(tuple),
    )


some_sources = st.integers(1, 4).flatmap(lambda count: st.tuples(*map(sources_of, range(count))))


def stored(source: Source) -> StoredSource:
    return msgspec.convert(msgspec.to_builtins(source), StoredSource)


@given(some_sources)
def test_what_is_imported_and_exported_and_imported_again_is_read_the_same(
    sources: tuple[Source, ...],
) -> None:
    plain = read_export(export(map(stored, sources)), where="sources.toml")
    once = tuple(sealed(each, encrypt) for each in plain)
    again = tuple(sealed(each, encrypt) for each in read_export(export(once), where="export"))
    assert again == once
    for before, after in zip(sources, again, strict=True):
        assert all(map(is_hashed, after.write_keys))
        assert all(each.secret_id is None for each in after.destinations)
        expected = msgspec.structs.replace(before, write_keys=tuple(map(hashed, before.write_keys)))
        assert opened(after, decrypt) == expected


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        (
            {"secret_id": "ab", "encrypted_secret_id": "eA==", "role_address": ROLE},
            "cannot be given together",
        ),
        ({"encrypted_secret_id": "eA=="}, "needs a role_address"),
        ({"secret_id": "a b", "role_address": ROLE}, "secret_id is no External ID"),
        ({"nonsense": 1}, "unknown key 'nonsense'"),
    ],
)
def test_what_breaks_the_schema_is_named_with_its_place(fields: dict[str, Any], said: str) -> None:
    source = {"id": "web", "write_keys": ["wk"], "destinations": [{"stream_name": "events", **fields}]}
    import tomli_w

    with pytest.raises(SettingsError) as refused:
        read_export(tomli_w.dumps({"sources": [source]}), where="export.toml")
    assert str(refused.value).startswith("export.toml: sources[1] ('web').destinations[1] ('events'): ")
    assert said in str(refused.value)


def test_a_file_that_serve_reads_knows_no_encrypted_secret_id() -> None:
    from headgate.settings.schema import read_toml

    text = export(
        [stored(Source(id="web", write_keys=("wk",), destinations=(Destination(stream_name="e"),)))]
    )
    assert list(read_toml(text, where="sources.toml")) == ["wk"]
    with pytest.raises(SettingsError, match="unknown key 'encrypted_secret_id'"):
        read_toml(text + 'encrypted_secret_id = "eA=="', where="sources.toml")
