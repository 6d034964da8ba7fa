"""Members read from files: every form, what is skipped and counted, and what is refused in one line."""

import csv
import gzip
import io
import json
import re
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from headgate.audiences.calls import Calls, Computation
from headgate.audiences.columns import Columns
from headgate.audiences.db import connect, text
from headgate.audiences.snapshot import MAX_BYTES, Snapshot, read_snapshot
from headgate.errors import HeadgateError, UsageError
from headgate.spec.prepare import Limits
from tests.audiences.test_calls import BEGUN, TEXTS

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

BOTH = Columns(anonymous_id="anonymous_id")
TRAIT = Columns(value="value")
CLEAN = Snapshot(rows=0, members=0, duplicates=0, nulls=0, empty=0, without_value=0, too_long=0)


class Reader:
    """Writes files and reads them as a snapshot."""

    def __init__(self, db: "DuckDBPyConnection", directory: Path) -> None:
        self.db, self.directory = db, directory

    def file(self, name: str, content: str | bytes) -> Path:
        path = self.directory / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return path

    def parquet(self, name: str, select: str) -> Path:
        self.db.execute(f"COPY ({select}) TO {text(str(self.directory / name))} (FORMAT parquet)")
        return self.directory / name

    def read(self, *files: Path, columns: Columns | None = None) -> Snapshot:
        return read_snapshot(self.db, files, columns or Columns())

    def rows(self, *files: Path, columns: Columns | None = None) -> list[tuple[str, str, str]]:
        self.read(*files, columns=columns)
        return sorted(self.db.execute("SELECT kind, id, value FROM snapshot").fetchall())

    def ids(self, *files: Path) -> list[str]:
        return [user for _, user, _ in self.rows(*files)]

    def values(self, *files: Path) -> dict[str, str]:
        return {user: value for _, user, value in self.rows(*files, columns=TRAIT)}

    def refusal(self, *files: Path, columns: Columns | None = None) -> str:
        with pytest.raises(UsageError) as refused:
            self.read(*files, columns=columns)
        assert "\n" not in str(refused.value)
        return str(refused.value).replace(f"{self.directory}/", "")


@pytest.fixture
def reader(db: "DuckDBPyConnection", tmp_path: Path) -> Reader:
    return Reader(db, tmp_path)


def test_identifiers_of_csv_are_taken_as_they_are_written(reader: Reader) -> None:
    file = reader.file(
        "m.csv", '\ufeffuser_id,x\r\n00123,\r\n"a,""b""",1\r\n1e5,\r\n #é ,\r\n"two\nlines",\r\n'
    )
    assert reader.ids(file) == sorted(["00123", 'a,"b"', "1e5", " #é ", "two\nlines"])


def test_identifiers_of_json_lines_are_texts_or_whole_numbers(reader: Reader) -> None:
    lines = [
        '{"user_id": "00123"}',
        '{"user_id": 123}',
        '{"user_id":123456789012345678901234567890}',
        "",
        "{}",
    ]
    assert reader.ids(reader.file("m.jsonl", "\n".join(lines))) == [
        "00123",
        "123",
        "123456789012345678901234567890",
    ]


@pytest.mark.parametrize(
    ("column", "expected"),
    [
        ("12345678901234::BIGINT", "12345678901234"),
        ("7::UTINYINT", "7"),
        ("99999999999999999999::DECIMAL(38,0)", "99999999999999999999"),
        ("'a\"b'", 'a"b'),
        ("'é'::BLOB", "é"),
        ("'0EFCC0E2-4F0A-4F6B-9D3A-0D7D5A0B7C11'::UUID", "0efcc0e2-4f0a-4f6b-9d3a-0d7d5a0b7c11"),
    ],
)
def test_identifiers_of_parquet_are_texts_or_whole_numbers(
    reader: Reader, column: str, expected: str
) -> None:
    value = column if "BLOB" not in column else "encode('é')"
    assert reader.ids(reader.parquet("m.parquet", f"SELECT {value} AS user_id")) == [expected]


def test_a_row_has_a_member_for_each_of_its_identifiers(reader: Reader) -> None:
    file = reader.file("m.csv", "anonymous_id,user_id\na1,u1\na2,\n,u2\na1,u1\n,\n")
    assert reader.rows(file, columns=BOTH) == [
        ("anonymousId", "a1", "true"),
        ("anonymousId", "a2", "true"),
        ("userId", "u1", "true"),
        ("userId", "u2", "true"),
    ]
    assert reader.read(file, columns=BOTH) == Snapshot(
        rows=5, members=4, duplicates=2, nulls=4, empty=0, without_value=0, too_long=0
    )
    only = Columns(user_id=None, anonymous_id="anonymous_id")
    assert reader.rows(file, columns=only) == [("anonymousId", "a1", "true"), ("anonymousId", "a2", "true")]


def test_files_of_any_form_and_order_of_columns_are_one_snapshot(reader: Reader) -> None:
    files = [
        reader.file("1.csv", "user_id,anonymous_id\nu1,a1\n"),
        reader.file("2.CSV", "anonymous_id,more,user_id\na2,,u2\n"),
        reader.file("3.csv.gz", gzip.compress(b"user_id,anonymous_id\nu3,a3\n")),
        reader.file("4.json", '{"anonymous_id":"a4"}\n'),
        reader.file("5.ndjson.gz", gzip.compress(b'{"user_id":"u1"}\n')),
        reader.parquet("6.parquet", "SELECT 6 AS user_id, 'a6' AS anonymous_id"),
        reader.parquet("7.parquet", "SELECT 'a7' AS anonymous_id, 'u7' AS user_id"),
    ]
    assert reader.rows(*files, columns=BOTH) == [
        *(("anonymousId", f"a{number}", "true") for number in (1, 2, 3, 4, 6, 7)),
        *(("userId", user, "true") for user in ("6", "u1", "u2", "u3", "u7")),
    ]
    assert reader.read(*files, columns=BOTH).duplicates == 1


def test_a_name_with_characters_that_stand_for_others_is_that_file_alone(reader: Reader) -> None:
    reader.file("ab.csv", "user_id\nother\n")
    odd = reader.file("user_id=5/[a]*'.csv", "user_id\nu\n")
    assert reader.ids(odd) == ["u"]


def test_a_column_is_found_whatever_its_name(reader: Reader) -> None:
    name = 'the "user\'s" id/~\\'
    columns = Columns(user_id=name)
    quoted = '"' + name.replace('"', '""') + '"'
    files = [
        reader.file("m.csv", f"{quoted}\nc\n"),
        reader.file("m.jsonl", json.dumps({name: "j"}) + "\n"),
        reader.parquet("m.parquet", f"SELECT 'p' AS {quoted}"),
    ]
    assert [user for _, user, _ in reader.rows(*files, columns=columns)] == ["c", "j", "p"]


@pytest.mark.parametrize("form", ["csv", "jsonl", "parquet"])
def test_what_is_no_member_is_skipped_and_counted(reader: Reader, form: str) -> None:
    users = ["u", "u", None, None, "", "v", "x" * (MAX_BYTES - 5), "\x01" * 5_000]
    if form == "csv":  # an empty cell is null, in quotes too
        file = reader.file("m.csv", "user_id,n\n" + "".join(f"{user or ''},\n" for user in users))
    elif form == "jsonl":
        file = reader.file("m.jsonl", "".join(json.dumps({"user_id": user}) + "\n" for user in users))
    else:
        values = ", ".join("(NULL)" if user is None else f"({text(user)})" for user in users)
        file = reader.parquet("m.parquet", f"SELECT * FROM (VALUES {values}) AS t(user_id)")
    empty = 0 if form == "csv" else 1
    assert reader.read(file) == Snapshot(
        rows=8, members=2, duplicates=1, nulls=3 - empty, empty=empty, without_value=0, too_long=2
    )


@pytest.mark.parametrize("character", ["x", "é", '"', "\x01", "😀"])
def test_an_identifier_is_too_long_when_its_event_would_be(reader: Reader, character: str) -> None:
    in_json = len(json.dumps(character, ensure_ascii=False).encode()) - len('""')
    fitting = character * ((MAX_BYTES - len('""true')) // in_json)
    users = [fitting, fitting + character]
    file = reader.file("m.jsonl", "".join(json.dumps({"user_id": user}) + "\n" for user in users))
    assert reader.ids(file) == [fitting]
    assert reader.read(file).too_long == 1
    calls = Calls(Computation("audience", "k" * 255, "s" * 256), 1, BEGUN)
    [event] = calls.events([(0, "anonymousId", fitting, "false")], BEGUN)
    assert len(event.data) <= Limits().event_bytes


@pytest.mark.parametrize(
    ("name", "content", "rows"),
    [
        ("m.csv", "user_id\n", 0),
        ("m.csv", "user_id", 0),
        ("m.csv", "", 0),
        ("m.jsonl", "", 0),
        ("m.jsonl", "\n\n", 0),
        ("m.csv", "user_id\n\n", 1),
    ],
)
def test_a_file_of_nobody_is_a_snapshot_of_nobody(reader: Reader, name: str, content: str, rows: int) -> None:
    found = reader.read(reader.file(name, content))
    assert (found.rows, found.members) == (rows, 0)
    assert reader.db.execute("SELECT count(*) FROM snapshot").fetchall() == [(0,)]


def test_an_empty_parquet_is_a_snapshot_of_nobody_too(reader: Reader) -> None:
    assert reader.read(reader.parquet("m.parquet", "SELECT 'u' AS user_id WHERE false")) == CLEAN


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("m.csv", "id,\"a 'b'\"\n1,2\n", "m.csv has no column 'user_id'; it has 'id', \"a 'b'\""),
        ("m.csv", "USER_ID\n1\n", "m.csv has no column 'user_id'; it has 'USER_ID'"),
        ("m.csv", "user_id;x\n1;2\n", "m.csv has no column 'user_id'; it has 'user_id;x'"),
        ("m.jsonl", '{"id":1}\n{"x":2}\n', "m.jsonl has no column 'user_id'; it has 'id', 'x'"),
        ("m.json", '[{"user_id":"a"}]', "m.json has no column 'user_id'; it has none"),
        ("m.json", '[\n{"user_id":"a"}\n]', r"m.json cannot be read: Malformed JSON in file .* line \d.*"),
        ("m.jsonl", '{"user_id":"a"}\n{"user_id":"b"\n', r"m.jsonl cannot be read: Malformed JSON .*"),
        ("m.jsonl", b'{"user_id":"\xff"}\n', r"m.jsonl cannot be read: Malformed JSON .* invalid UTF-8.*"),
        ("m.jsonl", '{"user_id":"\\ud83d"}\n', r"m.jsonl cannot be read: Malformed JSON .* surrogate.*"),
        ("m.jsonl", '{"user_id":1.5}\n{"user_id":true}\n{"user_id":[]}', "3 values of 'user_id' are neit.*"),
        ("m.csv", "user_id,x\n1,2\n3\n", "m.csv cannot be read: it is no CSV with commas, .*"),
        ("m.csv", 'user_id,x\n1,2\n"3,4\n', "m.csv cannot be read: it is no CSV with commas, .*"),
        ("m.csv", "user_id,x\n" + "1,2\n" * 5_000 + "3\n", "m.csv cannot be read: CSV Error on Line: 5002"),
        ("m.csv", b"user_id\n\xff\n", "m.csv cannot be read: CSV Error on Line: 2"),
        ("m.csv.gz", "user_id\n1\n", "m.csv.gz cannot be read: .*"),
        ("m.parquet", "user_id\n1\n", "m.parquet cannot be read: .*too small to be a Parquet file"),
        ("m.parquet", "", "m.parquet cannot be read: .*"),
        ("m.txt", "user_id\n1\n", r"m.txt has no suffix that tells its form; allowed: \.csv, .*"),
        ("m", "user_id\n1\n", "m has no suffix .*"),
        ("m.parquet.gz", "", "m.parquet.gz has no suffix .*"),
    ],
)  # fmt: skip
def test_what_cannot_be_read_is_refused_in_one_line_that_names_the_file(
    reader: Reader, name: str, content: str | bytes, said: str
) -> None:
    refusal = reader.refusal(reader.file(name, content))
    assert re.fullmatch(said, refusal), refusal


def test_a_message_quotes_no_identifier(reader: Reader) -> None:
    file = reader.parquet("m.parquet", "SELECT '\\xFFsecret'::BLOB AS user_id")
    assert reader.refusal(file).startswith("m.parquet cannot be read: Invalid string encoding found")
    assert "secret" not in reader.refusal(file)
    late = reader.file("m.csv", "user_id,x\n" + "1,2\n" * 5_000 + "secret\n")
    assert "secret" not in reader.refusal(late)


def test_among_many_files_the_one_that_cannot_be_read_is_named(reader: Reader) -> None:
    good = reader.file("1.csv", "user_id\nu\n")
    assert reader.refusal(good, reader.file("2.csv", "user_id,x\n1,2\n3\n")).startswith(
        "2.csv cannot be read"
    )
    late = reader.file("3.csv", "user_id,x\n" + "1,2\n" * 5_000 + "3\n")
    assert reader.refusal(good, late).startswith("3.csv cannot be read")
    assert reader.refusal(good, reader.file("4.csv", "id\n1\n")).startswith("4.csv has no column")
    assert (
        reader.refusal(good, reader.directory / "5.csv") == "5.csv cannot be read: no such file or directory"
    )


@pytest.mark.parametrize("type_", ["DOUBLE", "BOOLEAN", "DATE", "DECIMAL(10,2)", "INTEGER[]"])
def test_a_column_that_cannot_hold_identifiers_is_refused(reader: Reader, type_: str) -> None:
    file = reader.parquet("m.parquet", f"SELECT NULL::{type_} AS user_id")
    said = f"'user_id' is of DuckDB's type {type_}; an identifier is a text or a whole number"
    assert reader.refusal(file) == f"m.parquet: the column {said}"


def test_values_of_json_lines_are_kept_as_they_are_written(reader: Reader) -> None:
    written = {
        "int": "5", "minus": "-7", "fraction": "450.00", "digits": "123456789012345678.123456789",
        "large": "123456789012345678901234567890", "exponent": "1E+5", "huge": "1e400", "true": "true",
        "text": '"a \\"b\\" \\u0000 é 😀"', "number": '"5"', "empty": '""',
    }  # fmt: skip
    lines = [
        f'{{"o":{{"value": 1.25}}, "user_id":"{user}", "value" : {value}}}' for user, value in written.items()
    ]
    file = reader.file(
        "v.jsonl",
        "\n".join(
            [*lines, '{"user_id":"null","value":null}', '{"user_id":"none"}', '{"user_id":"NaN","value":NaN}']
        ),
    )
    assert reader.values(file) == written
    assert reader.read(file, columns=TRAIT).without_value == 3


def test_values_of_csv_are_numbers_booleans_or_else_texts(reader: Reader) -> None:
    expected = {
        "5": "5", "-0.50": "-0.50", "1e9": "1e9", "1234567890123456789.123": "1234567890123456789.123",
        "true": "true", "False": "false", "TRUE": "true",
        "007": '"007"', "+1": '"+1"', ".5": '".5"', "1.": '"1."', "0x1F": '"0x1F"', "NaN": '"NaN"',
        "null": '"null"', " 5": '" 5"', "1,5": '"1,5"', 'say "x"': '"say \\"x\\""', "é\n": '"é\\n"',
    }  # fmt: skip
    content = io.StringIO()
    csv.writer(content).writerows(
        [("user_id", "value"), *((f"u{value}", value) for value in expected), ("n", "")]
    )
    file = reader.file("v.csv", content.getvalue())
    assert reader.values(file) == {f"u{value}": text for value, text in expected.items()}
    assert reader.read(file, columns=TRAIT).without_value == 1


@pytest.mark.parametrize(
    ("column", "expected"),
    [
        ("5::BIGINT", "5"),
        ("450::DECIMAL(10,2)", "450.00"),
        ("0.1::DOUBLE", "0.1"),
        ("0.1::FLOAT", "0.1"),
        ("1e300::DOUBLE", "1e+300"),
        ("'nan'::DOUBLE", None),
        ("'-inf'::FLOAT", None),
        ("true", "true"),
        ("'true'", '"true"'),
        ("'5'", '"5"'),
        ("NULL::BIGINT", None),
    ],
)
def test_values_of_parquet_are_of_their_columns_type(
    reader: Reader, column: str, expected: str | None
) -> None:
    found = reader.values(reader.parquet("v.parquet", f"SELECT 'u' AS user_id, {column} AS value"))
    assert found == ({} if expected is None else {"u": expected})


def test_files_whose_values_are_of_other_types_keep_them(reader: Reader) -> None:
    whole = reader.parquet("1.parquet", "SELECT 'a' AS user_id, 9007199254740993 AS value")
    fraction = reader.parquet("2.parquet", "SELECT 'b' AS user_id, 0.5::DOUBLE AS value")
    assert reader.values(whole, fraction) == {"a": "9007199254740993", "b": "0.5"}


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        (
            "v.jsonl",
            '{"user_id":"u","value":[1]}\n{"user_id":"v","value":{}}',
            "2 values of 'value' are objects .*",
        ),
        ("v.jsonl", '{"user_id":"u"}', "v.jsonl has no column 'value'; it has 'user_id'"),
        (
            "v.csv",
            "user_id,value\nu,1\nv,1\nu,2\n",
            "1 identifiers in 'user_id' have several values of 'value'; .*",
        ),
    ],
)
def test_values_that_cannot_be_sent_are_refused_in_one_line_without_a_users_identifier(
    reader: Reader, name: str, content: str, said: str
) -> None:
    refusal = reader.refusal(reader.file(name, content), columns=TRAIT)
    assert re.fullmatch(said, refusal), refusal


def test_a_column_that_cannot_hold_values_is_refused(reader: Reader) -> None:
    file = reader.parquet("v.parquet", "SELECT 'u' AS user_id, now() AS value")
    assert "'value' is of DuckDB's type TIMESTAMP WITH TIME ZONE; a value is" in reader.refusal(
        file, columns=TRAIT
    )


def test_the_same_value_again_is_a_duplicate(reader: Reader) -> None:
    file = reader.file("v.csv", "user_id,value\nu,1.0\nu,1.0\n")
    assert reader.values(file) == {"u": "1.0"}
    assert reader.read(file, columns=TRAIT).duplicates == 1


def test_a_snapshot_larger_than_memory_and_disk_ends_in_one_line(reader: Reader, tmp_path: Path) -> None:
    file = reader.parquet(
        "m.parquet", "SELECT md5(i::VARCHAR) || repeat('x', 500) AS user_id FROM range(20000) t(i)"
    )
    with closing(connect(tmp_path, "4MB", threads=1)) as little:
        little.execute("SET max_temp_directory_size = '1MB'")
        with pytest.raises(HeadgateError, match="the snapshot cannot be read: ") as failed:
            Reader(little, tmp_path).read(file)
    assert "\n" not in str(failed.value)
    assert not isinstance(failed.value, UsageError)


@settings(max_examples=40, deadline=None)
@given(
    users=st.lists(st.none() | TEXTS, min_size=1, max_size=6), values=st.lists(TEXTS, min_size=6, max_size=6)
)
def test_whatever_texts_files_hold_they_are_members_and_values_unchanged(
    db: "DuckDBPyConnection",
    tmp_path_factory: pytest.TempPathFactory,
    users: list[str | None],
    values: list[str],
) -> None:
    reader = Reader(db, tmp_path_factory.getbasetemp())
    of_user = dict(zip(users, values, strict=False))
    lines = [json.dumps({"value": value, "user_id": user}) for user, value in of_user.items()]
    in_json = reader.values(reader.file("any.jsonl", "\n".join(lines)))
    assert {user: json.loads(value) for user, value in in_json.items()} == {
        user: value for user, value in of_user.items() if user
    }
    content = io.StringIO()
    rows = [(user, "x" + value) for user, value in of_user.items()]
    csv.writer(content, quoting=csv.QUOTE_ALL).writerows([("user_id", "value"), *rows])
    in_csv = reader.values(reader.file("any.csv", content.getvalue()))
    assert {user: json.loads(value) for user, value in in_csv.items()} == {
        user: value for user, value in rows if user
    }
