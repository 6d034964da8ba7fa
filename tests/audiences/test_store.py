"""A directory and a bucket keep the same promises."""

from pathlib import Path
from typing import Any

import pytest

from headgate.audiences.local_store import LocalStore
from headgate.audiences.locate import store_at
from headgate.audiences.s3_store import S3Store
from headgate.audiences.store import Store
from headgate.errors import AwsError, BusyError, HeadgateError, UsageError
from tests.audiences.conftest import S3


@pytest.fixture(params=["directory", "bucket", "prefix"])
def stores(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[Store, Store]:
    """The same store as two processes see it."""
    if request.param == "directory":
        return LocalStore(tmp_path / "kept"), LocalStore(tmp_path / "kept")
    s3: S3 = request.getfixturevalue("s3")
    location = f"s3://{s3.name}" + ("/audiences" if request.param == "prefix" else "")
    return S3Store(s3.session, location), S3Store(s3.session, location)


@pytest.fixture
def store(stores: tuple[Store, Store]) -> Store:
    return stores[0]


def file_of(directory: Path, content: bytes) -> Path:
    path = directory / "file"
    path.write_bytes(content)
    return path


def test_a_document_is_read_as_it_was_written_last(store: Store) -> None:
    assert store.read("s/a/doc.json") is None
    first = store.write("s/a/doc.json", b"1", None)
    assert store.read("s/a/doc.json") == first
    second = store.write("s/a/doc.json", b"2", first)
    assert store.read("s/a/doc.json") == second
    assert second.content == b"2"


def test_of_two_processes_that_replace_a_document_one_learns_that_it_is_too_late(
    stores: tuple[Store, Store],
) -> None:
    one, other = stores
    first = one.write("doc", b"1", None)
    with pytest.raises(BusyError, match="another process has written"):
        other.write("doc", b"x", None)
    other.write("doc", b"2", other.read("doc"))
    with pytest.raises(BusyError):
        one.write("doc", b"3", first)
    one.remove(["doc"])
    with pytest.raises(BusyError):
        other.write("doc", b"4", other.read("doc") or first)
    assert one.read("doc") is None


def test_files_come_back_as_they_were(store: Store, tmp_path: Path) -> None:
    store.keep("s/a/state", file_of(tmp_path, b"members"))
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    assert store.fetch("s/a/state", scratch).read_bytes() == b"members"
    assert store.fetch("s/a/state", scratch).read_bytes() == b"members"


def test_a_file_that_is_gone_is_one_line(store: Store, tmp_path: Path) -> None:
    with pytest.raises(HeadgateError, match=r"s/a/state.*there is no such"):
        store.fetch("s/a/state", tmp_path)


def test_paths_are_those_of_a_folder_and_what_was_removed_is_gone(store: Store, tmp_path: Path) -> None:
    for path in ("s/a/one", "s/a/two", "s/b/three", "t/a/four"):
        store.keep(path, file_of(tmp_path, b""))
    assert store.paths("s/a") == ["s/a/one", "s/a/two"]
    assert store.paths("") == ["s/a/one", "s/a/two", "s/b/three", "t/a/four"]
    store.remove(["s/a/one", "s/a/never-was"])
    assert store.paths("s") == ["s/a/two", "s/b/three"]


def test_a_lock_is_held_by_one_and_then_by_the_next(stores: tuple[Store, Store]) -> None:
    one, other = stores
    with one.lock("s/a/lock", "the audience 'A'") as lock:
        lock.check()
        said = r"^the audience 'A' is being synced by \S+, process \d+, since \d{4}-[-:\dT]+Z; one sync at"
        with pytest.raises(BusyError, match=said), other.lock("s/a/lock", "the audience 'A'"):
            pass
        with other.lock("s/b/lock", "another"):
            pass
    with other.lock("s/a/lock", "the audience 'A'") as lock:
        lock.check()


def test_a_lock_is_freed_by_an_error_too(stores: tuple[Store, Store]) -> None:
    one, other = stores
    with pytest.raises(ZeroDivisionError), one.lock("lock", "it"):
        raise ZeroDivisionError
    with other.lock("lock", "it"):
        pass


def test_scratch_is_empty_at_first_and_gone_at_last(store: Store) -> None:
    with store.scratch("s/a") as directory:
        assert list(directory.iterdir()) == []
        (directory / "x").write_text("x")
        assert "x" not in "".join(store.paths(""))
    assert not directory.exists()


def test_what_a_killed_process_left_in_scratch_goes_with_the_next(tmp_path: Path) -> None:
    (tmp_path / "s/a/scratch/deep").mkdir(parents=True)
    with LocalStore(tmp_path).scratch("s/a") as directory:
        assert list(directory.iterdir()) == []


def test_nobody_else_may_read_what_is_kept(tmp_path: Path) -> None:
    store = LocalStore(tmp_path / "kept")
    store.write("s/a/doc", b"1", None)
    store.keep("s/a/state", file_of(tmp_path, b""))
    with store.lock("s/a/lock", "it"):
        pass
    files = [path for path in (tmp_path / "kept").rglob("*") if path.is_file()]
    assert len(files) == 3
    assert all(path.stat().st_mode & 0o077 == 0 for path in files)


@pytest.mark.parametrize("write", [b"", b"torn"])
def test_a_document_that_was_half_written_when_its_writer_died_is_not_seen(
    tmp_path: Path, write: bytes
) -> None:
    store = LocalStore(tmp_path)
    first = store.write("s/doc", b"1", None)
    (tmp_path / "s/doc.new").write_bytes(write)
    assert store.read("s/doc") == first
    assert store.paths("") == ["s/doc"]
    assert store.write("s/doc", b"2", first).content == b"2"


def test_a_directory_that_may_not_be_written_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(HeadgateError, match=r"^\S*file.*: not a directory$"):
        LocalStore(tmp_path / "file").write("s/doc", b"", None)


def test_a_bucket_that_is_not_there_is_one_line(s3: S3) -> None:
    store = S3Store(s3.session, "s3://no-such-bucket-here/x")
    with pytest.raises(AwsError, match=r"^s3://no-such-bucket-here/x/doc: NoSuchBucket: [^\n]*$"):
        store.write("doc", b"", None)


@pytest.mark.parametrize("location", ["s3://", "s3://A_B/x", "gs://bucket/x"])
def test_a_location_that_is_none_is_bad_usage(s3: S3, location: str) -> None:
    with pytest.raises(UsageError, match=r"^--state is "):
        store_at(location, s3.session)


def test_the_state_of_a_user_is_where_their_programs_keep_it(
    s3: S3, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    assert store_at(None, s3.session).name == str(tmp_path / "headgate/audiences")
    monkeypatch.delenv("XDG_STATE_HOME")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert store_at(None, s3.session).name == str(tmp_path / ".local/state/headgate/audiences")


def test_a_put_whose_answer_was_lost_counts_as_made(s3: S3, monkeypatch: pytest.MonkeyPatch) -> None:
    bucket = s3.bucket
    put: Any = bucket._s3.put_object

    def twice(**arguments: Any) -> Any:
        put(**arguments)
        return put(**arguments)

    monkeypatch.setattr(bucket._s3, "put_object", twice)
    etag = bucket.put("doc", b"1", None)
    etag = bucket.put("doc", b"2", etag)
    found = bucket.get("doc")
    assert found is not None
    assert (found.content, found.etag) == (b"2", etag)
