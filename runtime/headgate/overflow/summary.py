"""Letters by where they were bound for and why they are not there. Pure."""

from dataclasses import dataclass
from datetime import datetime

from headgate.overflow.dead_letters import DeadLetter
from headgate.overflow.origin import Origin


@dataclass(slots=True)
class Group:
    """The letters of one destination and one code."""

    origin: Origin | None
    """None for what nobody can read."""
    code: str
    message: str
    """The reason of the newest of them; those of others may differ in their figures."""
    oldest: datetime
    newest: datetime
    records: int = 0
    bytes: int = 0
    """Of data and partition keys."""

    def add(self, letter: DeadLetter) -> None:
        """Count a letter."""
        self.records += 1
        self.bytes += len(letter.data) + len(letter.partition_key.encode())
        self.oldest = min(self.oldest, letter.time)
        if letter.time >= self.newest:
            self.newest, self.message = letter.time, letter.message


class Summary:
    """Letters, grouped as they come."""

    def __init__(self) -> None:
        self._groups: dict[tuple[Origin | None, str], Group] = {}

    def add(self, letter: DeadLetter) -> None:
        """Count a letter."""
        found = self._groups.get((letter.origin, letter.code))
        if found is None:
            found = Group(letter.origin, letter.code, letter.message, letter.time, letter.time)
            self._groups[letter.origin, letter.code] = found
        found.add(letter)

    def groups(self) -> list[Group]:
        """Return the groups, that with the most letters first."""
        return sorted(self._groups.values(), key=lambda group: -group.records)

    def by_origin(self) -> dict[Origin | None, tuple[int, int]]:
        """Return the records and bytes of each destination, whatever the reason."""
        found: dict[Origin | None, tuple[int, int]] = {}
        for group in self.groups():
            records, size = found.get(group.origin, (0, 0))
            found[group.origin] = records + group.records, size + group.bytes
        return found
