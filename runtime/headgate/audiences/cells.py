"""Cells of files as SQL: the identifier as text, the value as JSON text, and what is wrong with either. Pure.

A row of a file has a cell for each identifier column: `kind`, `id`, `value`, `problem`. Nothing is rounded.
"""

import re
from collections.abc import Sequence

import msgspec

from headgate.audiences.columns import Columns
from headgate.audiences.db import identifier, text

NO_IDENTIFIER, NO_VALUE = "no identifier", "no value"
"""Problems: the cell is neither a text nor a whole number; it is an object or an array."""

_WHOLE = r"U?(?:TINYINT|SMALLINT|INTEGER|BIGINT|HUGEINT)"
_IDENTIFIERS = re.compile(rf"VARCHAR|UUID|{_WHOLE}|DECIMAL\(\d+,0\)")
_EXACT = re.compile(rf"BOOLEAN|{_WHOLE}|DECIMAL\(\d+,\d+\)")
_NUMBER = r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?"
_ALWAYS = "'true'"
"""An audience's value."""


def is_identifier(type_: str) -> bool:
    """Return whether a column of this type of DuckDB can hold identifiers: texts and whole numbers."""
    return _IDENTIFIERS.fullmatch(type_) is not None


def is_value(type_: str) -> bool:
    """Return whether a column of this type can hold a trait's values: texts, numbers and booleans."""
    return type_ in ("VARCHAR", "FLOAT", "DOUBLE") or _EXACT.fullmatch(type_) is not None


def of_csv(source: str, columns: Columns) -> list[str]:
    """Return the cells of CSV, all of whose columns are text.

    Of a trait's values what JSON takes for a number is one, `true` and `false` in any case are booleans, and
    all else is text.
    """
    value = _ALWAYS
    if columns.value is not None:
        name = identifier(columns.value)
        value = f"""CASE
            WHEN regexp_full_match({name}, {text(_NUMBER)}) THEN {name}
            WHEN lower({name}) IN ('true', 'false') THEN lower({name})
            ELSE to_json({name})::VARCHAR
        END"""
    return [_cells(source, kind, identifier(name), value) for kind, name in columns.identifiers]


def of_parquet(source: str, columns: Columns, types: Sequence[str]) -> list[str]:
    """Return the cells of Parquet.

    Args:
        source: what to read.
        columns: which columns of it.
        types: DuckDB's type of each, in the order of `columns.names`.
    """
    value = _ALWAYS
    if columns.value is not None:
        value = _typed(identifier(columns.value), types[-1])
    return [_cells(source, kind, f"{identifier(name)}::VARCHAR", value) for kind, name in columns.identifiers]


def of_json(source: str, columns: Columns) -> list[str]:
    """Return the cells of JSON lines: `source` has the column `json`, whole lines as they were written."""
    value = wrong_value = None
    if columns.value is not None:
        value, wrong_value = _json_value(columns.value)
    found = []
    for kind, name in columns.identifiers:
        at = pointer(name)
        said, is_ = f"json_extract_string(json, {at})", f"json_type(json, {at})"
        # What DuckDB cannot hold in 64 bits it calls DOUBLE, and keeps as it was written.
        problem = f"""CASE
            WHEN {is_} NOT IN ('VARCHAR', 'UBIGINT', 'BIGINT', 'NULL')
                AND NOT regexp_full_match({said}, '-?[0-9]+')
                THEN {text(NO_IDENTIFIER)}
            {wrong_value or ""}
        END"""
        found.append(_cells(source, kind, said, value or _ALWAYS, problem))
    return found


def pointer(name: str) -> str:
    """Return the SQL of the JSON pointer to a member."""
    return text("/" + name.replace("~", "~0").replace("/", "~1"))


def _cells(source: str, kind: str, id_: str, value: str, problem: str = "NULL") -> str:
    return f"SELECT {text(kind)} AS kind, {id_} AS id, {value} AS value, {problem} AS problem FROM {source}"


def _typed(name: str, type_: str) -> str:
    if type_ in ("FLOAT", "DOUBLE"):
        return f"CASE WHEN isfinite({name}) THEN {name}::VARCHAR END"
    return f"{name}::VARCHAR" if _EXACT.fullmatch(type_) else f"to_json({name})::VARCHAR"


def _json_value(name: str) -> tuple[str, str]:
    """Return the value's text, and when it is none."""
    at, number = pointer(name), text(_NUMBER)
    said, is_ = f"json_extract(json, {at})::VARCHAR", f"json_type(json, {at})"
    # DuckDB writes numbers with a fraction anew, rounded; the line has them as they were. A key in its quotes
    # stands nowhere inside a text, whose own quotes are escaped; of several the one that is equal counts.
    # NaN and Infinity, which DuckDB takes although they are no JSON, are no values.
    literal = text(re.escape(msgspec.json.encode(name).decode()) + rf"\s*:\s*({_NUMBER})")
    written = f"""list_filter(
        regexp_extract_all(json::VARCHAR, {literal}, 1),
        lambda number: TRY_CAST(number AS DOUBLE) = TRY_CAST({said} AS DOUBLE)
    )[1]"""
    value = f"""CASE {is_}
        WHEN 'NULL' THEN NULL
        WHEN 'DOUBLE' THEN coalesce({written}, CASE WHEN regexp_full_match({said}, {number}) THEN {said} END)
        ELSE {said}
    END"""
    return value, f"WHEN {is_} IN ('OBJECT', 'ARRAY') THEN {text(NO_VALUE)}"
