"""What each open page *Live events* has been given of its stream. Pure: the clock is passed in."""

import asyncio
from collections import OrderedDict, deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from headgate.console.entry import Session
from headgate.console.feed import Feed, Seen
from headgate.reading.filters import Filter

MOST_ROWS = 200
"""In a page."""
ROWS_A_TICK = 20
"""On average: a stream is read once a second, so what two ticks may show can come with one."""
TICK_SECONDS = 0.5
MOST_VIEWS = 64
"""Pages whose place is remembered; one more forgets the one that did nothing for longest."""

_RATE_SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class Status:
    """How much came since the page was opened or cleared."""

    per_second: float = 0.0
    """Of the whole stream, in the last seconds."""
    came: int = 0
    unfit: int = 0
    """Those that do not fit the filters."""
    shown: int = 0

    @property
    def not_shown(self) -> int:
        """Those that would have been shown, had fewer come."""
        return self.came - self.unfit - self.shown


@dataclass(frozen=True, slots=True)
class News:
    """What is new for a page."""

    rows: Sequence[Seen]
    """The newest first."""
    missed: int
    """Records that came while it was paused and are not shown."""
    gap: str | None
    """The ID of the row that says so; it comes below those rows. None where there is nothing to say."""
    gone: Sequence[str]
    """The IDs of the rows that are too many in the page now."""


@dataclass
class View:
    """One open page."""

    feed: Feed
    wanted: Filter
    status: Status = Status()
    _number: int | None = None
    _rows: deque[str] = field(default_factory=deque)
    _rates: deque[tuple[float, int]] = field(default_factory=deque)
    _going: asyncio.Event = field(default_factory=asyncio.Event)
    _resumed: bool = False
    _allowed: int = 0

    def __post_init__(self) -> None:
        """Begin to show."""
        self._going.set()

    @property
    def paused(self) -> bool:
        """Whether nothing is shown now."""
        return not self._going.is_set()

    def pause(self) -> None:
        """Show nothing."""
        self._going.clear()

    def resume(self) -> None:
        """Go on, with what came meanwhile and is still kept."""
        if self.paused:
            self._resumed = True
            self._rates.clear()
            self._going.set()

    def clear(self) -> None:
        """Note that the page shows nothing any more, and count anew."""
        self._rows.clear()
        self.status = Status()

    async def going(self) -> None:
        """Return once it is not paused."""
        await self._going.wait()

    def tick(self, now: float) -> News:
        """Return what to show now; called every `TICK_SECONDS`.

        Args:
            now: seconds, monotonic.
        """
        began, last = self._number, self.feed.last_number
        came = self.feed.after(began or 0)
        fit = [each for each in came if self.wanted((each.record,))]
        unfit = len(came) - len(fit)
        self._allowed = min(self._allowed + ROWS_A_TICK, 2 * ROWS_A_TICK)
        catches_up = began is None or self._resumed
        rows = fit[-(MOST_ROWS - 1 if catches_up else self._allowed) :]
        self._allowed = max(self._allowed - len(rows), 0)
        # Of what came before the page was opened there is no telling how much it was.
        total = last - began if began is not None else unfit + len(rows)
        missed = total - unfit - len(rows)
        gap = f"gap-{last}" if self._resumed and missed else None
        self._number, self._resumed = last, False
        self.status = Status(
            self._rate(now, last),
            self.status.came + total,
            self.status.unfit + unfit,
            self.status.shown + len(rows),
        )
        self._rows.extend([gap] if gap else [])
        self._rows.extend(f"record-{each.number}" for each in rows)
        gone = [self._rows.popleft() for _ in range(len(self._rows) - MOST_ROWS)]
        return News(rows[::-1], missed, gap, gone)

    def _rate(self, now: float, last: int) -> float:
        self._rates.append((now, last))
        while now - self._rates[0][0] > _RATE_SECONDS:
            self._rates.popleft()
        began, number = self._rates[0]
        return (last - number) / (now - began) if now > began else 0.0


class Views:
    """The open pages of all sessions."""

    def __init__(self) -> None:
        self._views: OrderedDict[tuple[Session, str], View] = OrderedDict()

    def get(self, session: Session, view_id: str) -> View | None:
        """Return a session's page; None if it is forgotten."""
        view = self._views.get((session, view_id))
        if view is not None:
            self._views.move_to_end((session, view_id))
        return view

    def get_or_make(self, session: Session, view_id: str, make: Callable[[], View]) -> View:
        """Return a session's page, made where it is new or forgotten."""
        view = self.get(session, view_id)
        if view is None:
            view = self._views[session, view_id] = make()
            if len(self._views) > MOST_VIEWS:
                self._views.popitem(last=False)
        return view
