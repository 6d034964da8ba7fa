"""Files of members: their forms, and whether they have the columns that are asked for."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from headgate.audiences import cells
from headgate.audiences.columns import Columns
from headgate.audiences.db import Error, InvalidInput, first_line, one_path
from headgate.errors import UsageError

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

_FORMS = {".csv": "csv", ".jsonl": "json", ".ndjson": "json", ".json": "json", ".parquet": "parquet"}
_PACKED = (".gz", ".zst")
_SUFFIXES = ".csv, .jsonl, .ndjson and .json, each also with .gz or .zst after it, and .parquet"
# Nothing of CSV is guessed: of one row no more than the names is learnt.
_CSV = (
    "header = true, all_varchar = true, delim = ',', quote = '\"', escape = '\"', comment = '', skip = 0, "
    "sample_size = 1"
)
_READERS = {
    "csv": f"read_csv({{}}, {_CSV}, union_by_name = true, hive_partitioning = false)",
    "json": "read_ndjson_objects({}, hive_partitioning = false) AS line(json)",
    "parquet": "read_parquet({}, union_by_name = true, binary_as_string = true, hive_partitioning = false)",
}
_SHOWN = 20


def cells_of(db: "DuckDBPyConnection", files: Sequence[Path], columns: Columns) -> list[str]:
    """Return the SQL of the cells of all files, one part for each form and identifier column.

    Raises:
        UsageError: a file's form is unknown, it cannot be read, or lacks a column or has it in a wrong type.
    """
    alike: dict[tuple[str, ...], list[Path]] = {}
    for file in files:
        form = _form(file)
        # A file of no bytes has no header either. It names nobody.
        if form != "parquet" and not _size(file):
            continue
        alike.setdefault((form, *_types(db, file, form, columns)), []).append(file)
    found: list[str] = []
    for (form, *types), some in alike.items():
        source = _READERS[form].format(f"[{', '.join(map(one_path, some))}]")
        if form == "json":
            _check_members(db, some, source, columns)
            found += cells.of_json(source, columns)
        else:
            found += (
                cells.of_csv(source, columns) if form == "csv" else cells.of_parquet(source, columns, types)
            )
    return found


@contextmanager
def reading(files: Sequence[Path]) -> Iterator[None]:
    """Turn what DuckDB says of files into one line; what it says of memory or scratch is left as it is.

    Raises:
        UsageError: the file, as far as it is known, and what DuckDB says first.
    """
    try:
        yield
    except Error as error:
        named = [file for file in files if str(file) in str(error)]
        if not named and not isinstance(error, InvalidInput):
            raise
        said = first_line(error)
        if said.startswith("Error when sniffing file"):
            said = "it is no CSV with commas, double quotes and as many values in every line as in the first"
        where = named[0] if named else files[0] if len(files) == 1 else "one of the files"
        raise UsageError(f"{where} cannot be read: {said}") from None


def _form(file: Path) -> str:
    name = file.name.lower()
    packed = name.endswith(_PACKED)
    form = _FORMS.get(Path(Path(name).stem if packed else name).suffix)
    if form is None or (packed and form == "parquet"):
        raise UsageError(f"{file} has no suffix that tells its form; allowed: {_SUFFIXES}")
    return form


def _size(file: Path) -> int:
    try:
        return file.stat().st_size
    except OSError as error:
        raise UsageError(f"{file} cannot be read: {(error.strerror or str(error)).lower()}") from None


def _types(db: "DuckDBPyConnection", file: Path, form: str, columns: Columns) -> list[str]:
    """Return DuckDB's type of each column, in the order of `columns.names`; none of JSON lines."""
    if form == "json":
        return []
    with reading([file]):
        described = db.execute(f"DESCRIBE SELECT * FROM {_READERS[form].format(one_path(file))}").fetchall()
    types: dict[str, str] = {name: type_ for name, type_, *_ in described}
    for name in columns.names:
        if name not in types:
            raise _missing(str(file), name, list(types))
    for _, name in columns.identifiers:
        if not cells.is_identifier(types[name]):
            raise _wrong_type(file, name, types[name], "an identifier is a text or a whole number")
    if columns.value is not None and not cells.is_value(types[columns.value]):
        raise _wrong_type(
            file, columns.value, types[columns.value], "a value is a text, a number or a boolean"
        )
    return [types[name] for name in columns.names]


def _check_members(db: "DuckDBPyConnection", files: Sequence[Path], source: str, columns: Columns) -> None:
    """Check that each column is a member of some line: lines may leave out what is null."""
    with reading(files):
        if not db.execute(f"SELECT 1 FROM {source} LIMIT 1").fetchall():
            return
        for name in columns.names:
            exists = f"SELECT 1 FROM {source} WHERE json_exists(json, {cells.pointer(name)}) LIMIT 1"
            if not db.execute(exists).fetchall():
                keys = f"SELECT DISTINCT unnest(json_keys(json)) FROM {source} LIMIT {_SHOWN + 1}"
                raise _missing(
                    ", ".join(map(str, files)), name, sorted(key for (key,) in db.execute(keys).fetchall())
                )


def _missing(where: str, name: str, names: list[str]) -> UsageError:
    shown = ", ".join(f"{each!r:.60}" for each in names[:_SHOWN]) + (", ..." if len(names) > _SHOWN else "")
    return UsageError(f"{where} has no column {name!r}; it has {shown or 'none'}")


def _wrong_type(file: Path, name: str, type_: str, allowed: str) -> UsageError:
    return UsageError(f"{file}: the column {name!r} is of DuckDB's type {type_:.60}; {allowed}")
