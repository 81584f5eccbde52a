"""Run the training pipeline: all eight stages, or one."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import timedelta

from fleetcast.domain.errors import BadInput
from fleetcast.domain.fleet import Fleet
from fleetcast.domain.identity import CircuitKey, Digest
from fleetcast.domain.run import Run
from fleetcast.pipeline.runner import StageRunner, StageWatcher
from fleetcast.pipeline.situation import Situation, only_known
from fleetcast.pipeline.stages import STAGES, stage_named
from fleetcast.workflows.exclusive import alone
from fleetcast.workflows.plan import MakePlan


@dataclass(frozen=True, slots=True)
class Train:
    """Make the fleet as its repository declares it, as far as people have approved."""

    runner: StageRunner
    commit: str
    """Git commit of the fleet repository."""

    def __call__(
        self,
        fleet: Fleet,
        watcher: StageWatcher,
        *,
        only: Collection[CircuitKey] | None = None,
        saved_plan: Digest | None = None,
        lock_timeout: timedelta,
    ) -> Run:
        """Run all stages, going on with the last run if it is unfinished and the fleet has not changed since.

        Args:
            fleet: What should be.
            watcher: Is told how it goes.
            only: The circuits to train; None for all.
            saved_plan: The digest of the plan that was agreed on; None to apply whatever the plan is now.
            lock_timeout: How long to wait for another process that runs stages.

        Raises:
            RunInProgress: Another process works on this fleet.
            BadInput: The fleet has moved on since the plan was saved; nothing was done.
            FleetcastError: A stage could not do its work; run it again once mended.
        """
        keys = None if only is None else only_known(fleet, only)
        with self._working(lock_timeout):
            if saved_plan is not None:
                self._refuse_stale(saved_plan, fleet)
            run = self._current(fleet)
            situation = Situation(fleet, run, keys)
            return self.runner.close(self.runner.run(STAGES, situation, watcher))

    def stage(
        self,
        name: str,
        fleet: Fleet,
        watcher: StageWatcher,
        *,
        run_id: str | None,
        only: Collection[CircuitKey] | None = None,
        lock_timeout: timedelta,
    ) -> Run:
        """Run one stage, of a given run or of the last unfinished one.

        Raises:
            BadInput: There is no such stage or run, or the run was over another state of the fleet.
        """
        entry = stage_named(name)
        keys = None if only is None else only_known(fleet, only)
        with self._working(lock_timeout):
            run = self._current(fleet) if run_id is None else self.runner.platform.control.runs.find(run_id)
            if run.fleet != fleet.digest:
                raise BadInput(
                    f"{run.id} was started for another state of the fleet ({run.commit})",
                    fix="check that commit out, or leave `--run` out to start a new run",
                )
            return self.runner.close(self.runner.run([entry], Situation(fleet, run, keys), watcher))

    def _refuse_stale(self, saved: Digest, fleet: Fleet) -> None:
        current = MakePlan(self.runner.platform, self.runner.clock)(fleet).digest
        if current != saved:
            raise BadInput(
                f"the fleet has moved on since the plan was saved: it was {saved}, now it is {current}",
                fix="look at the new plan with `fleetcast plan`, and save it again",
            )

    def _current(self, fleet: Fleet) -> Run:
        latest = self.runner.platform.control.runs.latest()
        digest = fleet.digest
        if latest is not None and latest.state.can_continue and latest.fleet == digest:
            return latest
        return self.runner.platform.control.runs.begin(digest, self.commit)

    @contextmanager
    def _working(self, lock_timeout: timedelta) -> Iterator[None]:
        """Hold the fleet's lock, and end the workers when done or interrupted."""
        platform = self.runner.platform
        with (
            alone(platform.control, self.runner.clock, lock_timeout),
            closing(platform.workspace.jobs),
        ):
            yield
