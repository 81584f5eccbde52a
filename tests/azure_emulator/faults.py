"""What is to go wrong, and how often."""

from __future__ import annotations

import re
import threading
from dataclasses import dataclass
from datetime import timedelta
from typing import Literal, get_args

Kind = Literal["refuse", "done_but_failed", "fail_operation", "late"]


@dataclass(frozen=True, slots=True)
class Fault:
    """What goes wrong with the next requests of one shape.

    `refuse` answers at once, and nothing has happened. `done_but_failed` makes the change and says that it failed.
    `fail_operation` accepts the change and lets its operation fail. `late` makes what an import brings appear late.
    """

    kind: Kind
    method: str = ".*"
    """A pattern; has to match all of it."""
    path: str = ".*"
    """A pattern; found anywhere in the decoded path, in any case."""
    times: int = 1
    status: int = 503
    """Of a refusal."""
    code: str = "ServiceUnavailable"
    message: str = "The emulator was told to refuse"
    retry_after: int | None = None
    """Seconds, for the header `Retry-After` of a refusal."""
    reads: int = 0
    """How many reads find nothing after an import."""
    seconds: float = 0.0
    """For how long reads find nothing after an import, on the emulator's clock."""

    def __post_init__(self) -> None:
        if self.kind not in get_args(Kind):
            raise ValueError(f"a fault is one of {', '.join(get_args(Kind))}, not {self.kind}")
        re.compile(self.method)
        re.compile(self.path)

    def meets(self, method: str, path: str) -> bool:
        return bool(re.fullmatch(self.method, method, re.IGNORECASE)) and bool(
            re.search(self.path, path, re.IGNORECASE)
        )


class Faults:
    """What is to go wrong from now on; may be asked and told from any thread."""

    def __init__(self) -> None:
        self._left: list[tuple[Fault, int]] = []
        self._lock = threading.Lock()
        self.token_lifetime = timedelta(hours=1)
        """Of the tokens that are given from now on."""

    def add(self, fault: Fault) -> None:
        with self._lock:
            self._left.append((fault, fault.times))

    def clear(self) -> None:
        """Let nothing go wrong any more."""
        with self._lock:
            self._left.clear()
            self.token_lifetime = timedelta(hours=1)

    def take(self, method: str, path: str) -> Fault | None:
        """The first fault for such a request, which is thereby used once."""
        with self._lock:
            for number, (fault, times) in enumerate(self._left):
                if fault.meets(method, path):
                    self._left[number : number + 1] = [(fault, times - 1)] if times > 1 else []
                    return fault
        return None
