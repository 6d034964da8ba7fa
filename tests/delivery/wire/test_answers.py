"""What comes back, against a plain reading of the same answer."""

import json
from collections.abc import Callable
from typing import Any

import cbor2
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from headgate.delivery.wire import cbor_form
from headgate.delivery.wire.faults import Fault, Verdict
from headgate.delivery.wire.forms import CBOR, JSON, Form
from headgate.delivery.wire.messages import Answer
from tests.delivery.wire.kinesis import indefinite, took

ENCODINGS: dict[str, tuple[Form, Callable[[Any], bytes]]] = {
    "compact JSON": (JSON, lambda answer: json.dumps(answer, separators=(",", ":")).encode()),
    "indented JSON": (JSON, lambda answer: json.dumps(answer, indent=1).encode()),
    "CBOR": (CBOR, cbor2.dumps),
    "CBOR without lengths": (CBOR, indefinite),
}
THROTTLED = {
    "ErrorCode": "ProvisionedThroughputExceededException",
    "ErrorMessage": "Rate exceeded for shard shardId-000000000001 in stream s under account 111122223333.",
}


@pytest.fixture(params=ENCODINGS)
def encoding(request: pytest.FixtureRequest) -> tuple[Form, Callable[[Any], bytes]]:
    return ENCODINGS[request.param]


def shuffled(members: dict[str, Any]) -> st.SearchStrategy[dict[str, Any]]:
    return st.permutations(list(members.items())).map(dict)


SHARD_IDS = st.one_of(
    st.integers(0, 999).map("shardId-{:012}".format),
    st.sampled_from(["shardId-1", "s", "shardId-" + "9" * 20]),
)
NULLS = {"ErrorCode": None, "ErrorMessage": None}
SUCCESS = st.builds(
    lambda number, shard_id, nulls: {"SequenceNumber": str(number), "ShardId": shard_id} | nulls,
    st.integers(0, 10**56),
    SHARD_IDS,
    st.sampled_from([{}, {}, NULLS]),
)
FAILURE = st.builds(
    lambda error, nulls: error | nulls,
    st.sampled_from(
        [THROTTLED, {"ErrorCode": "InternalFailure", "ErrorMessage": "gShardIdtshardId-000000000001"}]
    ),
    st.sampled_from([{}, {"ShardId": None, "SequenceNumber": None}]),
)
ENTRIES = st.lists(st.one_of(SUCCESS, SUCCESS, SUCCESS, FAILURE).flatmap(shuffled), min_size=1, max_size=12)


@st.composite
def answers(draw: st.DrawFn) -> dict[str, Any]:
    entries = draw(ENTRIES)
    failures = sum(1 for entry in entries if entry.get("ErrorCode"))
    around = draw(
        st.sampled_from(
            [{}, {"FailedRecordCount": failures}, {"FailedRecordCount": 0}, {"FailedRecordCount": None}]
        )
    )
    more: list[dict[str, Any]] = [{}, {"EncryptionType": "KMS"}, {"EncryptionType": "NONE"}]
    around |= draw(st.sampled_from([*more, {"New": {"Members": [1, "ErrorCode"]}}]))
    return draw(shuffled({"Records": entries} | around))


@given(answers(), st.sampled_from(sorted(ENCODINGS)))
@example(took(500), "CBOR")
@example(took(500), "CBOR without lengths")
def test_what_is_read_is_what_a_plain_reading_finds(answer: dict[str, Any], encoded_as: str) -> None:
    form, encode = ENCODINGS[encoded_as]
    entries = answer["Records"]
    read = form.read_put_records(encode(answer), len(entries))
    assert isinstance(read, Answer)
    assert read.failed == {i: e["ErrorCode"] for i, e in enumerate(entries) if e.get("ErrorCode")}
    assert list(read.shard_ids) == [None if e.get("ErrorCode") else e["ShardId"] for e in entries]


@pytest.mark.parametrize("encryption", ["NONE", "KMS"])
def test_the_usual_answer_in_cbor_is_not_decoded(encryption: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def decode(body: bytes) -> None:
        pytest.fail(f"decoded: {body!r}")

    monkeypatch.setattr(cbor_form, "decode", decode)
    read = CBOR.read_put_records(cbor2.dumps(took(500) | {"EncryptionType": encryption}), 500)
    assert isinstance(read, Answer)
    assert not read.failed


@given(answers(), st.sampled_from(sorted(ENCODINGS)), st.integers(-2, 2).filter(bool))
def test_an_answer_for_another_number_of_records_tells_nothing(
    answer: dict[str, Any], encoded_as: str, more: int
) -> None:
    form, encode = ENCODINGS[encoded_as]
    read = form.read_put_records(encode(answer), len(answer["Records"]) + more)
    assert isinstance(read, Fault)
    assert (read.verdict, read.code, read.sent) == (Verdict.RETRY, "BadAnswer", True)


def test_more_failures_counted_than_named_tells_nothing(
    encoding: tuple[Form, Callable[[Any], bytes]],
) -> None:
    form, encode = encoding
    for entries in (took(2)["Records"], [took(1)["Records"][0], THROTTLED]):
        read = form.read_put_records(encode({"FailedRecordCount": 2, "Records": entries}), 2)
        assert isinstance(read, Fault)
        assert read.code == "BadAnswer"


def test_an_entry_that_names_neither_shard_nor_error_is_not_in(
    encoding: tuple[Form, Callable[[Any], bytes]],
) -> None:
    form, encode = encoding
    read = form.read_put_records(encode({"Records": [{"SequenceNumber": "1"}, took(1)["Records"][0]]}), 2)
    assert read == Answer({0: "NoShardId"}, [None, "shardId-000000000000"])


def test_a_put_record_answer_names_the_shard(encoding: tuple[Form, Callable[[Any], bytes]]) -> None:
    form, encode = encoding
    read = form.read_put_record(encode(took(1)["Records"][0] | {"EncryptionType": "KMS"}))
    assert read == Answer({}, ("shardId-000000000000",))


OF_ANOTHER_KIND = [
    *(b"", b"<html>oh</html>", b"{", b"{}", b"[]", b"null", b'{"Records":1}', b'{"Records":[{"ShardId":1}]}'),
    *(b"\xa0", b"\xbf", b"\xa1gRecords\x01", b"\xa1gRecords\x81\xa1gShardId\x01", b"\xf6", b"\xc1\xa0"),
]


@pytest.mark.parametrize("body", OF_ANOTHER_KIND)
@pytest.mark.parametrize("form", [CBOR, JSON], ids=lambda form: form.name)
def test_a_body_of_another_kind_is_no_answer(form: Form, body: bytes) -> None:
    assert form.read_put_records(body, 1) is None
    assert form.read_put_record(body) is None


@given(st.binary(max_size=80), st.binary(max_size=4))
def test_no_bytes_break_the_reading_or_pass_for_an_answer(noise: bytes, start: bytes) -> None:
    for form in (CBOR, JSON):
        for body in (noise, start + noise, b"\xa1gRecords" + noise, b'{"Records":' + noise):
            assert not isinstance(form.read_put_records(body, 1), Answer)
            assert form.read_put_record(body) is None


def test_an_answer_that_was_cut_is_never_taken_for_whole(
    encoding: tuple[Form, Callable[[Any], bytes]],
) -> None:
    form, encode = encoding
    body = encode(took(3))
    assert isinstance(form.read_put_records(body, 3), Answer)
    for end in range(len(body)):
        cut = form.read_put_records(body[:end], 3)
        # HTTP's own length finds a cut body; all that is named in it is in it.
        assert cut is None or (form is CBOR and isinstance(cut, Answer) and body[:end].count(b"shardId") == 3)
