"""Who may see the console: whoever followed its link. Pure: random texts and clocks are passed in."""

import hmac
import secrets
from collections.abc import Callable
from dataclasses import dataclass

LINK_SECONDS = 600
"""How long a link that nobody followed lets somebody in."""
MOST_SESSIONS = 16
"""Browsers that are let in at once; one more ends the oldest."""


@dataclass(frozen=True, slots=True)
class Session:
    """One browser that was let in."""

    token: str
    """What its cookie holds."""
    csrf: str
    """What each of its changes has to bring with it; a page of another site cannot read it."""


class Door:
    """Hands out links, each of which lets one browser in, once.

    Args:
        clock: seconds, monotonic.
        random_text: returns a text that nobody guesses.
    """

    def __init__(
        self, clock: Callable[[], float], random_text: Callable[[], str] = secrets.token_urlsafe
    ) -> None:
        self._clock = clock
        self._random_text = random_text
        self._links: dict[str, float] = {}
        self._sessions: dict[str, Session] = {}

    def link(self) -> str:
        """Return the secret of a new link."""
        secret = self._random_text()
        self._links[secret] = self._clock() + LINK_SECONDS
        return secret

    def enter(self, secret: str) -> Session | None:
        """Return a new session for the secret of a link, which lets nobody in again; None if it is none."""
        known = next((each for each in self._links if _same(each, secret)), None)
        if known is None or self._clock() > self._links.pop(known):
            return None
        session = Session(self._random_text(), self._random_text())
        while len(self._sessions) >= MOST_SESSIONS:
            del self._sessions[next(iter(self._sessions))]
        self._sessions[session.token] = session
        return session

    def session(self, token: str | None) -> Session | None:
        """Return the session of a cookie."""
        if token is None:
            return None
        return next((each for known, each in self._sessions.items() if _same(known, token)), None)


def brings(session: Session, token: str | None) -> bool:
    """Return whether a change comes from a page of this session."""
    return token is not None and _same(session.csrf, token)


def _same(known: str, given: str) -> bool:
    return hmac.compare_digest(known.encode(), given.encode())
