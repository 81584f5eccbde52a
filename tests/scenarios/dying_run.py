"""`fleetcast train` in a process that is killed at a chosen point; run as a program by the tests.

    python -m tests.scenarios.dying_run FLEET begins|progress|ended STAGE
    python -m tests.scenarios.dying_run FLEET after|before ROLE METHOD CALL

The first form kills from what a watcher of the run is told: as a stage begins, inside it, or once it ended. The
second kills before or after the n-th call of a platform's method: between an effect and its record.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

from fleetcast.app import open_fleet
from fleetcast.pipeline.runner import StageWatcher
from fleetcast.pipeline.stages import StageEntry


def die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


@dataclass(frozen=True, slots=True)
class KillAt:
    """Another object's stand-in: the real methods are called, and at one of them the process dies."""

    real: Any
    when: str
    method: str
    call: int
    calls: list[str]

    def __getattr__(self, name: str) -> Any:
        real = getattr(self.real, name)
        if name != self.method:
            return real
        return self._deadly(real)

    def _deadly(self, real: Callable[..., Any]) -> Callable[..., Any]:
        def called(*arguments: Any, **named: Any) -> Any:
            self.calls.append(self.method)
            last = len(self.calls) == self.call
            if last and self.when == "before":
                die()
            result = real(*arguments, **named)
            if last:
                die()
            return result

        return called


def watcher_that_dies(moment: str, stage: str) -> StageWatcher:
    def at(name: str) -> Callable[..., None]:
        def told(entry: StageEntry, *_: object) -> None:
            if name == moment and entry.name == stage:
                die()

        return told

    return StageWatcher(at("begins"), at("progress"), at("ended"))


def main(fleet: str, moment: str, *where: str) -> None:
    opened = open_fleet(Path(fleet))
    watcher = StageWatcher(lambda *_: None, lambda *_: None, lambda *_: None)
    if moment in ("begins", "progress", "ended"):
        watcher = watcher_that_dies(moment, where[0])
    else:
        role, method, call = where
        bag = "control" if hasattr(opened.platform.control, role) else "workspace"
        held = getattr(opened.platform, bag)
        roles: dict[str, Any] = {role: KillAt(getattr(held, role), moment, method, int(call), [])}
        bags: dict[str, Any] = {bag: replace(held, **roles)}
        opened = replace(opened, platform=replace(opened.platform, **bags))
    opened.training(opened.fleet, watcher, lock_timeout=timedelta(0))


if __name__ == "__main__":
    main(*sys.argv[1:])
