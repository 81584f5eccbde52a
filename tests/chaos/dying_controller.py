"""A process that moves releases on, or publishes forecasts, and is killed at one entry of the effects' journal.

    python -m tests.chaos.dying_controller FLEET deploy|score intended|done|recorded KEY

It dies right after the entry was intended, when it was done and is about to be recorded, or right after that.
"""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

from fleetcast.app import OpenFleet, open_fleet
from fleetcast.domain.effect import Effect
from fleetcast.domain.place import EnvironmentName
from fleetcast.ports.effects import EffectBook

LOOKS_EVERY_SECONDS = 0.2
PATIENCE_SECONDS = 120.0


@dataclass(frozen=True, slots=True)
class DeadlyEffects:
    """The journal itself, at one entry of which the process dies."""

    real: EffectBook
    moment: str
    key: str

    def __getattr__(self, name: str) -> Any:
        return getattr(self.real, name)

    def intend(self, effects: Sequence[Effect]) -> None:
        self.real.intend(effects)
        self._die_if(self.moment == "intended", effects)

    def record(self, effects: Sequence[Effect]) -> None:
        self._die_if(self.moment == "done", effects)
        self.real.record(effects)
        self._die_if(self.moment == "recorded", effects)

    def _die_if(self, now: bool, effects: Sequence[Effect]) -> None:  # says which moment this is
        if now and any(effect.key == self.key for effect in effects):
            os.kill(os.getpid(), signal.SIGKILL)


def deadly(fleet: OpenFleet, moment: str, key: str) -> OpenFleet:
    """The fleet with a journal that kills."""
    control = fleet.platform.control
    effects = DeadlyEffects(control.effects, moment, key)
    platform = replace(fleet.platform, control=replace(control, effects=effects))
    return replace(fleet, platform=platform)


def main(folder: str, what: str, moment: str, key: str) -> None:
    """Work until it is killed."""
    fleet = deadly(open_fleet(Path(folder)), moment, key)
    if what == "score":
        fleet.scoring(fleet.fleet, EnvironmentName.TEST)
        return
    until = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < until:
        fleet.advancing(EnvironmentName.TEST, lock_timeout=timedelta(seconds=10))
        time.sleep(LOOKS_EVERY_SECONDS)


if __name__ == "__main__":
    main(*sys.argv[1:])
