"""A page is given the newest, a few at a time, and is told of all that it was not given."""

import asyncio
from dataclasses import dataclass, field

import pytest

from headgate.console.entry import Door, Session
from headgate.console.feed import Seen
from headgate.console.views import MOST_ROWS, MOST_VIEWS, ROWS_A_TICK, News, Status, View, Views
from headgate.reading.filters import filter_by
from headgate.reading.record import Record


@dataclass
class Feed:
    """A feed that is told what came."""

    kept: list[Seen] = field(default_factory=list)
    last_number: int = 0

    def come(self, count: int, data: bytes = b"{}", most: int = 2_000) -> None:
        for _ in range(count):
            self.last_number += 1
            self.kept.append(Seen(self.last_number, "shard", Record("1", "key", 0.0, data)))
        self.kept = self.kept[max(len(self.kept) - most, 0) :]

    def after(self, number: int) -> list[Seen]:
        return [each for each in self.kept if each.number > number]


@pytest.fixture
def feed() -> Feed:
    return Feed()


def view_of(feed: Feed, **wanted: list[str]) -> View:
    return View(feed, filter_by(wanted))  # type: ignore[arg-type]


def numbers(news: News) -> list[int]:
    return [each.number for each in news.rows]


def test_a_page_begins_with_what_is_kept_the_newest_first(feed: Feed) -> None:
    feed.come(3)
    view = view_of(feed)
    assert numbers(view.tick(0)) == [3, 2, 1]
    assert numbers(view.tick(0.5)) == []
    feed.come(1)
    assert numbers(view.tick(1)) == [4]
    assert (view.status.came, view.status.shown, view.status.not_shown) == (4, 4, 0)


def test_what_was_there_before_it_and_is_not_shown_does_not_count(feed: Feed) -> None:
    feed.come(5_000)
    view = view_of(feed)
    assert numbers(view.tick(0))[0] == 5_000
    assert view.status.came == view.status.shown < MOST_ROWS
    assert view.status.not_shown == 0


def test_a_flood_gets_a_few_rows_a_tick_and_the_rest_is_counted(feed: Feed) -> None:
    view = view_of(feed)
    view.tick(0)
    for tick in range(1, 101):
        feed.come(700)
        assert numbers(view.tick(tick / 2))[0] == feed.last_number
    assert view.status.came == 70_000
    assert view.status.shown <= 101 * ROWS_A_TICK + ROWS_A_TICK
    assert view.status.not_shown == 70_000 - view.status.shown
    assert view.status.per_second == pytest.approx(1_400)


def test_what_comes_once_a_second_may_take_what_two_ticks_may(feed: Feed) -> None:
    view = view_of(feed)
    view.tick(0)
    for second in range(1, 5):
        feed.come(2 * ROWS_A_TICK)
        view.tick(second)
        view.tick(second + 0.5)
    assert view.status.not_shown == 0


def test_records_that_are_not_kept_any_more_are_counted(feed: Feed) -> None:
    view = view_of(feed, type=["page"])
    view.tick(0)
    feed.come(5, b'{"type":"page"}', most=2)
    assert numbers(view.tick(1)) == [5, 4]
    feed.come(5, most=0)
    assert numbers(view.tick(2)) == []
    assert (view.status.came, view.status.shown, view.status.not_shown) == (10, 2, 8)


def test_what_does_not_fit_is_counted_apart(feed: Feed) -> None:
    view = view_of(feed, type=["page"], user_id=["u"])
    view.tick(0)
    feed.come(30, b'{"type":"track","userId":"u"}')
    feed.come(2, b'{"type":"page","userId":"u"}')
    feed.come(30, b"no JSON")
    assert numbers(view.tick(1)) == [32, 31]
    assert view.status == Status(pytest.approx(62), 62, 60, 2)


def test_rows_beyond_what_a_page_has_go(feed: Feed) -> None:
    view = view_of(feed)
    present: list[str] = []
    for tick in range(40):
        feed.come(ROWS_A_TICK)
        news = view.tick(tick)
        present += [f"record-{number}" for number in reversed(numbers(news))]
        assert present[: len(news.gone)] == news.gone
        present = present[len(news.gone) :]
        assert len(present) <= MOST_ROWS
    assert present[-1] == f"record-{feed.last_number}"
    assert len(present) == MOST_ROWS


def test_after_a_pause_comes_what_is_kept_and_how_much_is_not_there(feed: Feed) -> None:
    view = view_of(feed)
    view.tick(0)
    view.pause()
    assert view.paused
    feed.come(3_000)
    view.resume()
    news = view.tick(10)
    assert len(news.rows) == MOST_ROWS - 1
    assert (news.missed, news.gap) == (3_000 - MOST_ROWS + 1, "gap-3000")
    assert news.gap not in news.gone
    feed.come(1)
    news = view.tick(10.5)
    assert (numbers(news), news.gap) == ([3_001], None)
    assert news.gone == ["gap-3000"], "the line is the oldest row"


def test_a_pause_in_which_little_comes_leaves_no_line(feed: Feed) -> None:
    view = view_of(feed)
    view.tick(0)
    view.pause()
    feed.come(100)
    view.resume()
    view.resume()
    news = view.tick(1)
    assert (len(news.rows), news.gap, view.status.not_shown) == (100, None, 0)


async def test_whoever_waits_for_a_paused_page_waits_until_it_goes_on(feed: Feed) -> None:
    view = view_of(feed)
    await view.going()
    view.pause()
    waiting = asyncio.create_task(view.going())
    await asyncio.sleep(0.01)
    assert not waiting.done()
    view.resume()
    await waiting


def test_a_cleared_page_counts_anew(feed: Feed) -> None:
    view = view_of(feed)
    feed.come(10)
    view.tick(0)
    view.clear()
    assert view.status == Status()
    feed.come(1)
    news = view.tick(1)
    assert (numbers(news), news.gone, view.status.came) == ([11], [], 1)


def test_a_page_is_its_sessions_alone_and_the_oldest_is_forgotten(feed: Feed) -> None:
    def session() -> Session:
        door = Door(lambda: 0.0)
        found = door.enter(door.link())
        assert found is not None
        return found

    mine, other = session(), session()
    views = Views()
    view = views.get_or_make(mine, "a", lambda: view_of(feed))
    assert views.get_or_make(mine, "a", lambda: view_of(feed)) is view
    assert views.get(other, "a") is None
    for number in range(MOST_VIEWS - 1):
        views.get_or_make(mine, str(number), lambda: view_of(feed))
    assert views.get(mine, "a") is view
    views.get_or_make(mine, "one more", lambda: view_of(feed))
    assert views.get(mine, "0") is None
    assert views.get(mine, "a") is view
