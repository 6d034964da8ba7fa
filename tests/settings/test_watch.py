import asyncio
from pathlib import Path

import pytest

from headgate.errors import SettingsError
from headgate.settings import watch
from headgate.settings.schema import Source


def toml(write_key: str) -> str:
    source = f'[[sources]]\nid = "s"\nwrite_keys = ["{write_key}"]\n'
    return source + '[[sources.destinations]]\nstream_name = "events"\n'


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watch, "INTERVAL_SECONDS", 0.01)


async def test_a_valid_change_is_taken_and_an_invalid_one_or_a_missing_file_is_not(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "sources.toml"
    path.write_text(toml("wk_1"))
    taken: asyncio.Queue[dict[str, Source]] = asyncio.Queue()
    following = asyncio.create_task(watch.FileWatch(path, watch.stamp_of(path), taken.put_nowait).follow())
    try:
        path.write_text(toml("wk_22"))
        assert list(await asyncio.wait_for(taken.get(), 10)) == ["wk_22"]

        path.write_text("[[sources]]\nnonsense = 1\n")
        async with asyncio.timeout(10):
            while "nonsense" not in str([vars(record) for record in caplog.records]):
                await asyncio.sleep(0.01)
        path.unlink()
        async with asyncio.timeout(10):
            while len(caplog.records) < 2:
                await asyncio.sleep(0.01)
        assert taken.empty()

        replaced = tmp_path / "new.toml"
        replaced.write_text(toml("wk_333"))
        replaced.rename(path)
        assert list(await asyncio.wait_for(taken.get(), 10)) == ["wk_333"]
    finally:
        following.cancel()


async def test_a_change_between_reading_and_following_is_seen(tmp_path: Path) -> None:
    path = tmp_path / "sources.toml"
    path.write_text(toml("wk_1"))
    before = watch.stamp_of(path)
    path.write_text(toml("wk_22"))
    taken: asyncio.Queue[dict[str, Source]] = asyncio.Queue()
    following = asyncio.create_task(watch.FileWatch(path, before, taken.put_nowait).follow())
    try:
        assert list(await asyncio.wait_for(taken.get(), 10)) == ["wk_22"]
    finally:
        following.cancel()


async def test_who_asks_gets_what_the_file_holds_now(tmp_path: Path) -> None:
    path = tmp_path / "sources.toml"
    path.write_text(toml("wk_1"))
    taken: list[dict[str, Source]] = []
    watching = watch.FileWatch(path, watch.stamp_of(path), taken.append)
    await watching.reread()
    assert taken == []
    path.write_text(toml("wk_22"))
    await watching.reread()
    assert [list(sources) for sources in taken] == [["wk_22"]]

    path.write_text("nonsense")
    for _ in range(2):
        with pytest.raises(SettingsError, match="not valid TOML"):
            await watching.reread()
    path.unlink()
    with pytest.raises(SettingsError, match="no such file"):
        await watching.reread()
    path.write_text(toml("wk_333"))
    await watching.reread()
    assert list(taken[-1]) == ["wk_333"]


async def test_however_many_ask_the_file_is_looked_at_once_in_an_interval(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "sources.toml"
    path.write_text(toml("wk_1"))
    looked: list[watch.Stamp] = []
    real = watch.stamp_of

    def stamp_of(path: Path) -> watch.Stamp:
        looked.append(real(path))
        return looked[-1]

    monkeypatch.setattr(watch, "stamp_of", stamp_of)
    watching = watch.FileWatch(path, real(path), lambda _: None)
    for _ in range(2):
        await asyncio.gather(*(watching.reread() for _ in range(50)))
    assert len(looked) == 2
