"""Running stages: order, timing, the JSON artifacts, and the record of how each ended."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from fleetcast.domain.errors import FleetcastError, HistoryLost, Unavailable
from fleetcast.domain.run import Ending, Run, StageRecord, worst
from fleetcast.pipeline.situation import Progress, Situation, StageResult
from fleetcast.pipeline.stages import StageEntry
from fleetcast.ports.clock import Clock
from fleetcast.ports.platform import Platform
from fleetcast.ports.runs import RunTakenOver
from fleetcast.stored.durable import write_in_one_move


@dataclass(frozen=True, slots=True)
class StageWatcher:
    """What somebody watching a run is told."""

    begins: Callable[[StageEntry], None]
    progress: Callable[[StageEntry, Progress], None]
    ended: Callable[[StageEntry, StageRecord, StageResult | None], None]


@dataclass(frozen=True, slots=True)
class StageRunner:
    """Runs stages one after another and keeps the book."""

    platform: Platform
    clock: Clock
    folder: Path
    """Where runs keep their JSON artifacts, one folder a run."""

    def run(self, entries: Sequence[StageEntry], situation: Situation, watcher: StageWatcher) -> Run:
        """Run stages in order. A stage that fails in part lets the next ones go on with the rest.

        Raises:
            FleetcastError: A stage could not do its work at all; it is recorded as failed, and the run can be
                continued.
        """
        run = situation.run
        for entry in entries:
            watcher.begins(entry)
            started = self.clock.now()
            stage = entry.make(self.platform, self.clock)
            try:
                run = run.beginning(entry.name, self.platform.control.actor.name, started)
                # It is news for people who look: a database that does not answer stops the stage itself, or its record.
                with suppress(Unavailable):
                    self.platform.control.runs.save(run)
                report = partial(watcher.progress, entry)
                result = stage.run(replace(situation, run=run, report=report))
                record = StageRecord(entry.name, result.ending, result.says, started, self.clock.now())
                self.platform.control.runs.save(run.with_stage(record))
                self._write(run, entry, result)
            except RunTakenOver:
                raise
            except FleetcastError as error:
                record = StageRecord(entry.name, Ending.FAILED, str(error), started, self.clock.now())
                run = run.with_stage(record).ended(Ending.FAILED, self.clock.now())
                watcher.ended(entry, record, None)
                self._save_if_possible(run, error)
                raise
            run = run.with_stage(record)
            watcher.ended(entry, record, result)
        return run

    def close(self, run: Run, situation: Situation) -> Run:
        """Record how the whole run ended."""
        asked = [Ending.AWAITING] if situation.policies_wait else []
        ended = run.ended(worst([*(record.ending for record in run.stages), *asked]), self.clock.now())
        self.platform.control.runs.save(ended)
        return ended

    def _save_if_possible(self, run: Run, cause: FleetcastError) -> None:
        """Keep the failure on record, unless the database is what failed, or lost the run."""
        try:
            self.platform.control.runs.save(run)
        except (Unavailable, HistoryLost) as error:
            raise cause from error

    def _write(self, run: Run, entry: StageEntry, result: StageResult) -> None:
        """Write the stage's JSON artifact in one move; people and CI read it, no stage does."""
        target = self.folder / run.id / entry.artifact
        document = json.dumps(result.document(), indent=2, ensure_ascii=False) + "\n"
        try:
            write_in_one_move(target, document.encode())
        except OSError as error:
            raise Unavailable(
                f"cannot write {target}: {error.strerror}", fix="check the disk's space and rights"
            ) from error
