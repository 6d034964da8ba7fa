"""One watch for every store: a file, and one whose content and faults the test chooses."""

import asyncio
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from headgate.errors import AwsError, SettingsError
from headgate.metrics.store import Count
from headgate.settings import watch
from headgate.settings.file_store import FileStore
from headgate.settings.schema import Source, read_toml
from headgate.settings.store import Store, Version, first_of
from headgate.settings.watch import Watch
from tests.clock import Clock


def toml(write_key: str) -> str:
    source = f'[[sources]]\nid = "s"\nwrite_keys = ["{write_key}"]\n'
    return source + '[[sources.destinations]]\nstream_name = "events"\n'


class Shelf:
    """A store in memory, which AWS may keep from us."""

    name = "shelf"
    interval = 0.01

    def __init__(self, text: str = "") -> None:
        self.text = text
        self.fault: Exception | None = None
        self.looks = 0
        self.parsed: list[str] = []

    def latest(self) -> Version:
        self.looks += 1
        if self.fault is not None:
            raise self.fault
        text = self.text

        def sources() -> dict[str, Source]:
            self.parsed.append(text)
            return read_toml(text, where=self.name)

        return Version(text, sources)

    def write(self, text: str) -> None:
        self.text = text


class Sealed(Shelf):
    """A store whose version can be told, and whose content, for a while, cannot be read."""

    def latest(self) -> Version:
        version = super().latest()

        def sources() -> dict[str, Source]:
            if "sealed" in self.text:
                raise AwsError("shelf: the Secret ID cannot be decrypted")
            return version.sources()

        return Version(version.stamp, sources)


class Watching:
    """A watch, and all that came of it."""

    def __init__(self, store: Store, *, first: bool = True, clock: Callable[[], float] | None = None) -> None:
        self.taken: list[list[str]] = []
        self.failures = Count()
        options = {"now": clock} if clock is not None else {}
        self.watch = Watch(
            store,
            first_of(store) if first else None,
            lambda sources: self.taken.append(list(sources)),
            self.failures,
            **options,
        )

    async def until_taken(self, write_key: str) -> None:
        await until(lambda: self.taken and self.taken[-1] == [write_key])


async def until(state: Callable[[], object]) -> None:
    async with asyncio.timeout(10):
        while not state():
            await asyncio.sleep(0.005)


def reasons(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.__dict__["reason"] for record in caplog.records if "reason" in record.__dict__]


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watch, "GAP_SECONDS", 0.01)
    monkeypatch.setattr(watch, "_FIRST_RETRY_SECONDS", 0.01)


@pytest.fixture(params=["file", "shelf"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[Store, Callable[[str], None]]]:
    """A store that holds the write key wk_1, and what writes into it."""
    if request.param == "shelf":
        shelf = Shelf(toml("wk_1"))
        yield shelf, shelf.write
        return
    path = tmp_path / "sources.toml"

    def write(text: str) -> None:
        written = path.with_suffix(".new")
        written.write_text(text, encoding="utf-8")
        written.replace(path)

    write(toml("wk_1"))
    file = FileStore(path)
    file.interval = 0.01
    yield file, write


async def test_a_valid_change_is_taken_and_an_invalid_one_is_not(
    store: tuple[Store, Callable[[str], None]], caplog: pytest.LogCaptureFixture
) -> None:
    kept, write = store
    watching = Watching(kept)
    following = asyncio.create_task(watching.watch.follow())
    try:
        write(toml("wk_2"))
        await watching.until_taken("wk_2")
        assert watching.failures.value == 0

        write("[[sources]]\nnonsense = 1\n")
        await until(lambda: watching.failures.value >= 3)
        assert watching.taken == [["wk_2"]]
        [reason] = reasons(caplog)  # once for the version, however often it is looked at
        assert reason.startswith(f"{kept.name}: sources[1]: unknown key 'nonsense'")

        write(toml("wk_3"))
        await watching.until_taken("wk_3")
    finally:
        following.cancel()


async def test_a_change_between_reading_and_following_is_seen(
    store: tuple[Store, Callable[[str], None]],
) -> None:
    kept, write = store
    watching = Watching(kept)
    write(toml("wk_2"))
    following = asyncio.create_task(watching.watch.follow())
    try:
        await watching.until_taken("wk_2")
    finally:
        following.cancel()


async def test_who_asks_gets_what_the_store_holds_now(store: tuple[Store, Callable[[str], None]]) -> None:
    kept, write = store
    watching = Watching(kept)
    await watching.watch.reread()
    assert watching.taken == []
    write(toml("wk_2"))
    await watching.watch.reread()
    assert watching.taken == [["wk_2"]]

    write("nonsense")
    for _ in range(2):
        with pytest.raises(SettingsError, match="not valid TOML"):
            await watching.watch.reread()
    write(toml("wk_2"))  # what is in force already, and still it is valid again
    await watching.watch.reread()
    write(toml("wk_3"))
    await watching.watch.reread()
    assert watching.taken[-1] == ["wk_3"]


async def test_a_file_that_is_gone_leaves_what_is_in_force_and_may_come_back_as_it_was(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path, away = tmp_path / "sources.toml", tmp_path / "away"
    path.write_text(toml("wk_1"))
    watching = Watching(FileStore(path))
    path.rename(away)
    for _ in range(2):
        with pytest.raises(SettingsError, match="no such file"):
            await watching.watch.reread()
    assert watching.taken == []
    assert len(reasons(caplog)) == 1
    away.rename(path)
    await watching.watch.reread()
    assert watching.taken == [["wk_1"]]


async def test_a_file_that_is_written_in_place_is_read_again(tmp_path: Path) -> None:
    path = tmp_path / "sources.toml"
    path.write_text(toml("wk_1"))
    watching = Watching(FileStore(path))
    path.write_text(toml("wk_22"))
    await watching.watch.reread()
    assert watching.taken == [["wk_22"]]


async def test_however_many_ask_the_store_is_looked_at_once() -> None:
    shelf = Shelf(toml("wk_1"))
    watching = Watching(shelf)
    shelf.looks = 0
    for _ in range(2):
        await asyncio.gather(*(watching.watch.reread() for _ in range(50)))
    assert shelf.looks == 2


async def test_what_has_not_changed_is_not_parsed_again_whether_or_not_it_is_valid() -> None:
    shelf = Shelf(toml("wk_1"))
    watching = Watching(shelf)
    for _ in range(3):
        await watching.watch.reread()
    shelf.text = "nonsense"
    for _ in range(3):
        await watching.watch.look()
    assert shelf.parsed == [toml("wk_1"), "nonsense"]
    assert watching.failures.value == 3


async def test_a_store_that_cannot_be_read_leaves_the_last_good_settings_and_is_logged_once_a_minute(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level("INFO")
    shelf, clock = Shelf(toml("wk_1")), Clock(0.0)
    watching = Watching(shelf, clock=clock)

    async def look() -> None:
        clock.now += watch.GAP_SECONDS
        await watching.watch.look()

    shelf.fault = AwsError("shelf: AccessDeniedException: no")
    for _ in range(5):
        await look()
    assert reasons(caplog) == ["shelf: AccessDeniedException: no"]
    clock.now += watch.GAP_SECONDS
    with pytest.raises(SettingsError, match="AccessDeniedException"):
        await watching.watch.reread()
    clock.now += 60
    await look()
    assert len(reasons(caplog)) == 2
    assert (watching.taken, watching.failures.value) == ([], 7)

    shelf.fault = None
    await look()
    assert caplog.records[-1].message == "the settings can be read again"
    clock.now += watch.GAP_SECONDS
    await watching.watch.reread()
    assert watching.taken == []
    assert watching.failures.value == 7


async def test_settings_that_were_never_read_are_tried_again_until_they_are_valid(
    caplog: pytest.LogCaptureFixture,
) -> None:
    shelf = Shelf()
    shelf.fault = AwsError("shelf: ResourceNotFoundException: no such secret")
    assert first_of(shelf) is None
    watching = Watching(shelf)
    following = asyncio.create_task(watching.watch.follow())
    try:
        await until(lambda: watching.failures.value >= 3)
        assert [record.message for record in caplog.records] == [
            "the settings cannot be read; requests are answered 503 until they are"
        ]
        shelf.text, shelf.fault = "nonsense", None
        await until(lambda: len(caplog.records) == 2)
        assert caplog.records[1].message == (
            "the settings are not valid; requests are answered 503 until they are"
        )
        shelf.text = toml("wk_1")
        await watching.until_taken("wk_1")
    finally:
        following.cancel()


async def test_a_defect_of_a_store_ends_neither_the_watch_nor_who_asks() -> None:
    shelf = Shelf(toml("wk_1"))
    watching = Watching(shelf)
    shelf.fault = ZeroDivisionError()
    following = asyncio.create_task(watching.watch.follow())
    try:
        with pytest.raises(SettingsError, match="shelf cannot be read"):
            await watching.watch.reread()
        shelf.text, shelf.fault = toml("wk_2"), None
        await watching.until_taken("wk_2")
    finally:
        following.cancel()


async def test_who_asks_a_store_that_hangs_is_told_in_time(monkeypatch: pytest.MonkeyPatch) -> None:
    release = asyncio.Event()
    loop = asyncio.get_running_loop()

    class Hanging(Shelf):
        def latest(self) -> Version:
            if self.looks:
                asyncio.run_coroutine_threadsafe(release.wait(), loop).result(10)
            return super().latest()

    monkeypatch.setattr(watch, "PATIENCE_SECONDS", 0.01)
    hanging = Hanging(toml("wk_1"))
    watching = Watching(hanging)
    with pytest.raises(SettingsError, match="shelf has not answered in"):
        await watching.watch.reread()
    hanging.text = toml("wk_2")
    release.set()
    await watching.until_taken("wk_2")


def test_what_is_not_valid_at_first_ends_the_command() -> None:
    with pytest.raises(SettingsError, match="shelf: not valid TOML"):
        first_of(Shelf("nonsense"))


def test_what_was_read_first_is_not_read_again(tmp_path: Path) -> None:
    path = tmp_path / "sources.toml"
    path.write_text(toml("wk_1"))
    first = first_of(FileStore(path))
    path.write_text(toml("wk_2"))
    assert first is not None
    assert list(first.sources()) == ["wk_1"]


async def test_what_cannot_be_decrypted_leaves_the_last_good_settings_and_is_tried_again() -> None:
    shelf = Sealed(toml("wk_1"))
    watching = Watching(shelf)
    shelf.write(toml("sealed"))
    for _ in range(2):
        with pytest.raises(SettingsError, match="the Secret ID cannot be decrypted"):
            await watching.watch.reread()
    assert watching.taken == []
    assert watching.failures.value == 2
    shelf.write(toml("wk_2"))
    await watching.watch.reread()
    assert watching.taken == [["wk_2"]]
