"""Remove what schedules, notices and looks left behind: prints, turns and letters that nobody decides by any more."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import timedelta

from fleetcast.domain import happened
from fleetcast.domain.effect import Effect
from fleetcast.domain.retention import TracesDecided, decide_traces
from fleetcast.domain.schedule import REMEMBERED
from fleetcast.pipeline.effects import CarryOut
from fleetcast.ports.clock import Clock
from fleetcast.ports.observations import ObservationTable
from fleetcast.ports.platform import Control
from fleetcast.ports.printed import Printed
from fleetcast.workflows.keep_schedules import name_of

_TRACES = "remove traces "


@dataclass(frozen=True, slots=True)
class CleanTraces:
    """Decides which traces go, and removes them; part of `Clean`."""

    control: Control
    observations: ObservationTable
    printed: Printed
    clock: Clock
    spared: timedelta
    """Files of looks that nobody published since stay for so long: a look may be under way."""

    def plan(self, days: int | None) -> TracesDecided:
        """Decide what would go now; what a turn that is not over printed stays."""
        now = self.clock.now()
        runs = {name_of(turn) for turn in self.control.schedules.held(now) if not turn.state.is_final}
        decided = decide_traces(self.printed.kept(), runs, days, REMEMBERED, now)
        files = len(self.observations.vacuum(self.spared, dry_run=True))
        if decided.before is None:
            return TracesDecided(decided.logs, files=files)
        return TracesDecided(
            decided.logs,
            decided.before,
            self.control.schedules.old(decided.before),
            self.control.outbox.old(decided.before),
            files,
        )

    def __call__(self, agreed: TracesDecided | None, days: int | None) -> TracesDecided | None:
        """Decide anew, remove what goes then and was agreed to, and say what that was; None: nothing was."""
        now = self.plan(days)
        if agreed is None or now.is_empty:
            return None
        shown = {log.job for log in agreed.logs.goes}
        logs = [log for log in now.logs.goes if log.job in shown]
        before = None if now.before is None or agreed.before is None else min(now.before, agreed.before)
        book, outbox = self.control.schedules, self.control.outbox
        going = TracesDecided(
            decide_traces(logs, (), days, REMEMBERED, self.clock.now()).logs,
            before,
            0 if before is None else book.old(before),
            0 if before is None else outbox.old(before),
            now.files,
        )
        names = [log.job for log in logs]

        def do() -> None:
            self.printed.remove(names)
            if before is not None:
                book.forget(before)
                outbox.forget_old(before)
            self.observations.vacuum(self.spared, dry_run=False)

        if going.is_empty:
            return None
        event = happened.traces_removed(
            names, going.logs.bytes, going.turns, going.letters, going.files, days
        )
        CarryOut(self.control.effects, self.clock)(
            [Effect(f"{_TRACES}at {self.clock.now().isoformat()}", event)],
            do=do,
            done=lambda keys: () if self._left(names) else keys,
            what="the removal of what schedules left",
        )
        return going

    def settle(self) -> None:
        """Forget what an interrupted run wrote down: what is left is decided on anew."""
        book = self.control.effects
        book.drop([one for one in book.unconfirmed() if one.key.startswith(_TRACES)])

    def _left(self, names: Collection[str]) -> set[str]:
        return {log.job for log in self.printed.kept()} & set(names)
