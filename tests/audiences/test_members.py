"""Which files a location means, on this machine and in S3."""

from pathlib import Path

import pytest

from headgate.audiences.members import Members
from headgate.errors import AwsError, UsageError
from tests.audiences.conftest import S3


def found(s3: S3, scratch: Path, *locations: str) -> list[str]:
    return list(Members(s3.session, locations, "--members").files(scratch).values())


def test_a_file_a_directory_and_a_pattern(s3: S3, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("a.csv", "b.csv", "_SUCCESS", ".hidden.csv", "c[1].csv", "deep/d.csv"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    monkeypatch.chdir(tmp_path)
    assert found(s3, tmp_path, "a.csv") == ["a.csv"]
    assert found(s3, tmp_path, ".") == ["a.csv", "b.csv", "c[1].csv"]
    assert found(s3, tmp_path, "?.csv", "deep") == ["a.csv", "b.csv", "deep/d.csv"]
    assert found(s3, tmp_path, str(tmp_path / "*/d.csv")) == [str(tmp_path / "deep/d.csv")]
    assert found(s3, tmp_path, "c[1].csv") == ["c[1].csv"]


def test_an_object_a_prefix_and_a_pattern(s3: S3, tmp_path: Path) -> None:
    keys = ["d/1/part.csv", "d/2/part.csv", "d/_SUCCESS", "d/2/_log/x.csv", "d/", "e.csv"]
    for key in keys:
        s3.put(key, key.encode())
    at = f"s3://{s3.name}/"
    for location, wanted in {
        "e.csv": ["e.csv"],
        "d/": ["d/1/part.csv", "d/2/part.csv"],
        "d/*/part.csv": ["d/1/part.csv", "d/2/part.csv"],
    }.items():
        scratch = tmp_path / location.replace("/", "-").replace("*", "x")
        scratch.mkdir()
        files = Members(s3.session, [at + location], "--members").files(scratch)
        assert list(files.values()) == [at + key for key in wanted]
        assert [path.read_text() for path in files] == wanted
        assert all(path.name == wanted[n].rpartition("/")[2] for n, path in enumerate(files))


@pytest.mark.parametrize("location", ["nothing.csv", "*.csv", "s3://{bucket}/none/", "s3://{bucket}/x*"])
def test_a_location_without_files_is_refused(
    s3: S3, tmp_path: Path, location: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    location = location.format(bucket=s3.name)
    with pytest.raises(UsageError) as refused:
        found(s3, tmp_path, location)
    assert str(refused.value) == f"--members: there is no file {location!r}"


def test_an_object_that_is_not_there_is_one_line(s3: S3, tmp_path: Path) -> None:
    with pytest.raises(AwsError, match=rf"^s3://{s3.name}/none.csv: there is no such object$"):
        found(s3, tmp_path, f"s3://{s3.name}/none.csv")
