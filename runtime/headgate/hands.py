"""Calls that block, in a few threads that nobody has to wait for.

The threads of a ThreadPoolExecutor are joined when Python exits: Ctrl-C would wait for an answer that may
never come.
"""

import queue
import threading
from collections.abc import Callable
from typing import Generic, TypeVar

Task = TypeVar("Task")
Result = TypeVar("Result")


class Hands(Generic[Task, Result]):
    """Does one thing to many tasks, some of them at a time.

    Args:
        do: what is done. Whatever it raises is given back by `next` in place of a result.
        most: tasks at a time; who gives more waits for results first.
    """

    def __init__(self, do: Callable[[Task], Result], most: int) -> None:
        self._do = do
        self._most = most
        self._tasks: queue.SimpleQueue[Task | None] = queue.SimpleQueue()
        self._results: queue.SimpleQueue[tuple[Task, Result | Exception]] = queue.SimpleQueue()
        self._threads = 0
        self._busy = 0

    @property
    def busy(self) -> int:
        """Tasks that were given and whose results have not been taken."""
        return self._busy

    @property
    def free(self) -> bool:
        """Whether another task may be given."""
        return self._busy < self._most

    def give(self, task: Task) -> None:
        """Have a task done."""
        self._busy += 1
        if self._busy > self._threads:
            self._threads += 1
            threading.Thread(target=self._work, daemon=True).start()
        self._tasks.put(task)

    def next(self, seconds: float) -> tuple[Task, Result | Exception] | None:
        """Return a task and what became of it; None if there is none within so many seconds."""
        try:
            result = self._results.get(timeout=max(seconds, 0))
        except queue.Empty:
            return None
        self._busy -= 1
        return result

    def close(self) -> None:
        """Take no more tasks; threads end after what they are doing."""
        for _ in range(self._threads):
            self._tasks.put(None)

    def _work(self) -> None:
        while (task := self._tasks.get()) is not None:
            try:
                result: Result | Exception = self._do(task)
            except Exception as error:
                result = error
            self._results.put((task, result))
