"""Run the training pipeline: all eight stages, or one."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from datetime import timedelta

from fleetcast.domain.approval import RequestState
from fleetcast.domain.errors import BadInput
from fleetcast.domain.fleet import Fleet
from fleetcast.domain.identity import CircuitKey
from fleetcast.domain.place import Scope
from fleetcast.domain.plan import FORMAT, SavedPlan
from fleetcast.domain.role import Right
from fleetcast.domain.run import Run
from fleetcast.pipeline.gatekeeper import Gatekeeper
from fleetcast.pipeline.policies import KeepPolicies
from fleetcast.pipeline.runner import StageRunner, StageWatcher
from fleetcast.pipeline.situation import Situation, UnknownWriters, only_known
from fleetcast.pipeline.stages import STAGES, stage_named
from fleetcast.ports.writers import Writers
from fleetcast.stored import format_1
from fleetcast.workflows.exclusive import alone
from fleetcast.workflows.plan import MakePlan


@dataclass(frozen=True, slots=True)
class Train:
    """Make the fleet as its repository declares it, as far as people have approved."""

    runner: StageRunner
    commit: str
    """Git commit of the fleet repository."""
    writers: Writers = field(default_factory=UnknownWriters)
    """Who wrote what that commit declares."""

    def __call__(
        self,
        fleet: Fleet,
        watcher: StageWatcher,
        *,
        only: Collection[CircuitKey] | None = None,
        saved_plan: SavedPlan | None = None,
        retry_failed: bool = False,
        lock_timeout: timedelta,
    ) -> Run:
        """Run all stages, going on with the last run if it is unfinished and the fleet has not changed since.

        Args:
            fleet: What should be.
            watcher: Is told how it goes.
            only: The circuits to train; None for all.
            saved_plan: The plan that was agreed on; None to apply whatever the plan is now.
            retry_failed: Whether to try what failed in the same way again and again once more.
            lock_timeout: How long to wait for another process that runs stages.

        Raises:
            Denied: Whoever acts may not train in one of the plants.
            RunInProgress: Another process works on this fleet.
            BadInput: The fleet has moved on since the plan was saved; nothing was done.
            FleetcastError: A stage could not do its work; run it again once fixed.
        """
        keys = None if only is None else only_known(fleet, only)
        self._require(fleet, keys)
        with self._working(lock_timeout):
            if saved_plan is not None:
                self._refuse_stale(saved_plan, fleet)
            situation = self._situation(fleet, self._current(fleet), keys, retry_failed=retry_failed)
            return self.runner.close(self.runner.run(STAGES, situation, watcher), situation)

    def stage(
        self,
        name: str,
        fleet: Fleet,
        watcher: StageWatcher,
        *,
        run_id: str | None,
        only: Collection[CircuitKey] | None = None,
        retry_failed: bool = False,
        lock_timeout: timedelta,
    ) -> Run:
        """Run one stage, of a given run or of the last unfinished one.

        Raises:
            BadInput: There is no such stage or run, or the run was over another state of the fleet.
        """
        entry = stage_named(name)
        keys = None if only is None else only_known(fleet, only)
        self._require(fleet, keys)
        with self._working(lock_timeout):
            run = self._current(fleet) if run_id is None else self.runner.platform.control.runs.find(run_id)
            if run.fleet not in (fleet.digest, format_1.fleet_digest(fleet)):
                raise BadInput(
                    f"{run.id} was started for another state of the fleet ({run.commit})",
                    fix="check that commit out, or leave `--run` out to start a new run",
                )
            situation = self._situation(fleet, run, keys, retry_failed=retry_failed)
            return self.runner.close(self.runner.run([entry], situation, watcher), situation)

    def _require(self, fleet: Fleet, keys: frozenset[CircuitKey] | None) -> None:
        """Make sure that whoever acts may train in each plant that this is about."""
        about = (circuit.key for circuit in fleet.circuits) if keys is None else keys
        plants = sorted({key.plant for key in about})
        self.runner.platform.control.require(Right.TRAIN, *(Scope(plant=plant) for plant in plants))

    def _situation(
        self, fleet: Fleet, run: Run, keys: frozenset[CircuitKey] | None, *, retry_failed: bool
    ) -> Situation:
        """What the stages are given, after the policies at the gates were kept."""
        control = self.runner.platform.control
        gatekeeper = Gatekeeper.of(control, self.runner.clock)
        asked = KeepPolicies(control.policies, gatekeeper, self.writers)(fleet.settings.gates, run.id)
        waits = any(request.state is RequestState.PENDING for request in asked.values())
        return Situation(
            fleet,
            run,
            keys,
            control.policies.in_force(),
            waits,
            retry_failed=retry_failed,
            writers=self.writers,
        )

    def _refuse_stale(self, saved: SavedPlan, fleet: Fleet) -> None:
        plan = MakePlan(self.runner.platform, self.runner.clock)(fleet)
        current = plan.digest if saved.format == FORMAT else format_1.plan_digest(plan, fleet)
        if current != saved.digest:
            raise BadInput(
                f"the fleet has moved on since the plan was saved: it was {saved.digest}, now it is {current}",
                fix="look at the new plan with `fleetcast plan`, and save it again",
            )

    def _current(self, fleet: Fleet) -> Run:
        latest = self.runner.platform.control.runs.latest()
        digest = fleet.digest
        if (
            latest is not None
            and latest.state.can_continue
            and latest.fleet in (digest, format_1.fleet_digest(fleet))
        ):
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
