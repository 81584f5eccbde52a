"""When requests are given up: one timer for all of them, as one for each would cost as much as looking it up."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass, field
from typing import Any

Task = asyncio.Task[Any]


@dataclass(slots=True)
class Deadlines:
    """Cancels what works for too long; whoever works tells its own cancelling from another by `passed`.

    Used in one event loop alone, and with one limit for all, so that whoever began first is late first.
    """

    limit_seconds: float
    _began: dict[Task, float] = field(default_factory=dict)
    _late: set[Task] = field(default_factory=set)
    _looks: bool = False

    def begin(self, began: float) -> Task:
        """Count the running task in.

        Args:
            began: When its work did, by `time.perf_counter`.
        """
        task = asyncio.current_task()
        assert task is not None  # noqa: S101  # only what runs in a loop begins
        self._began[task] = began
        if not self._looks:
            self._look_at(began + self.limit_seconds)
        return task

    def end(self, task: Task) -> None:
        """Its work is done."""
        del self._began[task]
        self._late.discard(task)

    def passed(self, task: Task) -> bool:
        """Whether a task was cancelled for its deadline and for nothing else: it may go on then, and end well."""
        if task not in self._late:
            return False
        self._late.discard(task)
        return task.uncancel() == 0

    def _look_at(self, moment: float) -> None:
        self._looks = True
        asyncio.get_running_loop().call_later(moment - time.perf_counter(), self._look)

    def _look(self) -> None:
        now = time.perf_counter()
        for task, began in self._began.items():
            if began + self.limit_seconds > now:
                self._look_at(began + self.limit_seconds)
                return
            if task not in self._late:
                self._late.add(task)
                task.cancel()
        self._looks = False
