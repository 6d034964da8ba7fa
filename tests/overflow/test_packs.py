"""Packs: nothing is lost or changed, the order stays, and no message is over the limit."""

import base64
import gzip
import random
import tracemalloc

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from headgate.overflow import packs
from headgate.overflow.origin import Origin
from headgate.overflow.packs import Unreadable, pack, unpack

ORIGIN = Origin(
    source_id="src", region="us-west-2", stream_name="events", role_address="arn:aws:iam::111122223333:role/w"
)
OTHER = Origin(source_id="\N{MATHEMATICAL SCRIPT CAPITAL S}", region="r", stream_name="e", role_address=None)
KEYS = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=256)
RECORDS = st.lists(st.tuples(KEYS, st.binary(max_size=2_000)), min_size=1, max_size=60)


@given(RECORDS, st.integers(300, 5_000), st.sampled_from([ORIGIN, OTHER]))
def test_every_record_comes_back_once_in_order_or_is_named(
    records: list[tuple[str, bytes]], limit: int, origin: Origin
) -> None:
    packed = pack(origin, records, limit)
    found = []
    for each in packed.packs:
        assert len(each.body.encode()) <= limit
        assert unpack(each.body) == (origin, [records[i] for i in each.items])
        found += list(each.items)
    assert found == sorted(found)
    assert sorted(found + packed.too_large) == list(range(len(records)))
    for index in packed.too_large:
        assert len(pack(origin, [records[index]], 10**9).packs[0].body) > limit


def test_a_full_pack_is_followed_by_another_before_it_is_more_than_a_drainer_takes_on() -> None:
    records = [("key", bytes(100_000))] * 25
    packed = pack(ORIGIN, records, 1024 * 1024)
    assert [len(each.items) for each in packed.packs] == [10, 10, 5]
    many = pack(ORIGIN, [("k", b"")] * (packs.MAX_RECORDS + 1), 1024 * 1024)
    assert [len(each.items) for each in many.packs] == [packs.MAX_RECORDS, 1]
    assert [len(unpack(each.body)[1]) for each in many.packs] == [packs.MAX_RECORDS, 1]


def test_the_largest_record_of_kinesis_fits_where_it_compresses_and_is_named_where_it_does_not() -> None:
    largest = ("key", bytes(10 * 1024 * 1024 - 3))
    noise = ("key", random.Random(1).randbytes(1024 * 1024))
    packed = pack(ORIGIN, [("a", b"{}"), largest, noise, ("b", b"{}")], 1024 * 1024)
    assert packed.too_large == [2]
    assert [record for each in packed.packs for record in unpack(each.body)[1]] == [
        ("a", b"{}"),
        largest,
        ("b", b"{}"),
    ]


def test_the_external_id_has_no_place_in_a_message() -> None:
    assert set(Origin.__struct_fields__) == {"source_id", "region", "stream_name", "role_address"}


@pytest.mark.parametrize(
    "body",
    [
        "",
        "no base64!",
        "é",
        base64.b64encode(b"no gzip").decode(),
        base64.b64encode(gzip.compress(b"no MessagePack", mtime=0)).decode(),
        base64.b64encode(gzip.compress(msgspec.msgpack.encode({"holds": "letters"}), mtime=0)).decode(),
        pack(ORIGIN, [("key", b"data")], 1_000).packs[0].body[:-8],
    ],
)
def test_what_is_no_pack_is_unreadable(body: str) -> None:
    with pytest.raises(Unreadable):
        unpack(body)


@given(st.binary(max_size=200))
def test_any_bytes_are_a_pack_or_unreadable(content: bytes) -> None:
    with pytest.raises(Unreadable):
        unpack(base64.b64encode(gzip.compress(content)).decode())


@pytest.mark.parametrize(
    "content",
    [
        bytes(200 * 1024 * 1024),
        msgspec.msgpack.encode({"holds": "records", "origin": ORIGIN, "records": [("", b"")] * 1_000_000}),
    ],
)
def test_a_bomb_unfolds_to_no_more_than_a_pack_holds(content: bytes) -> None:
    body = base64.b64encode(gzip.compress(content)).decode()
    tracemalloc.start()
    try:
        with pytest.raises(Unreadable):
            unpack(body)
        assert tracemalloc.get_traced_memory()[1] < 4 * packs.MAX_UNPACKED
    finally:
        tracemalloc.stop()
