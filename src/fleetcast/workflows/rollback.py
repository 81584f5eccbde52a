"""Roll back a circuit, a plant or everything: at once, without asking anybody, and for good."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta

from fleetcast.domain.audit import MADE_LIVE, about_release
from fleetcast.domain.errors import BadInput
from fleetcast.domain.fallback import Unused
from fleetcast.domain.given import check_line
from fleetcast.domain.model import FilesRemoved, Refusal
from fleetcast.domain.place import EnvironmentName, Scope
from fleetcast.domain.release import (
    Endpoint,
    NumberedRelease,
    Release,
    ServedModel,
    served_alone,
    without_refused,
)
from fleetcast.domain.role import Right
from fleetcast.domain.rollout import Cause, Phase, Rollout, rolled_back
from fleetcast.domain.traffic import Override
from fleetcast.ports.clock import Clock
from fleetcast.ports.platform import Platform
from fleetcast.workflows.exclusive import holder


@dataclass(frozen=True, slots=True)
class RolledBack:
    """What one endpoint serves now, and what it served before."""

    endpoint: Endpoint
    before: NumberedRelease
    after: NumberedRelease
    blocked: tuple[str, ...]
    """Versions that nothing uses until somebody unblocks them."""
    otherwise: tuple[str, ...] = ()
    """Circuits that are not served as the earlier release has it: their version there is blocked, or has no files."""


@dataclass(frozen=True, slots=True)
class RollBackTo:
    """Have clients answered by what served before."""

    platform: Platform
    clock: Clock

    def plant(
        self, endpoint: Endpoint, reason: str, *, to: int | None = None, lock_timeout: timedelta
    ) -> RolledBack:
        """Go back to the release that was live before, or to one that is named.

        Raises:
            Denied: Whoever acts may not roll back there.
            BadInput: Nothing serves there, there is no release before, or none of that number.
        """
        self._require(endpoint)
        check_line(reason, "the reason")
        control = self.platform.control
        with control.deployments.exclusive(holder(control, self.clock), lock_timeout):
            live = self._live(endpoint)
            if to is None:
                before, otherwise = self._before(live)
                return self._serve(live, before, otherwise, reason)
            target, otherwise = self._as_it_may_be(control.releases.find(endpoint, to), live)
            if target.digest == live.release.digest:
                raise BadInput(
                    f"{live} serves already, as far as nothing is blocked",
                    fix=f"see `fleetcast releases list {endpoint}`; `fleetcast unblock` lets versions be used again",
                )
            return self._serve(live, target, otherwise, reason)

    def circuit(
        self, endpoint: Endpoint, circuit: str, reason: str, *, to: int | None = None, lock_timeout: timedelta
    ) -> RolledBack:
        """Go back to the version that a circuit was served by before, or to one that is named; others stay as they are.

        Raises:
            Denied: Whoever acts may not roll back there.
            BadInput: The circuit is not served, or was never served by another version, or not by that one.
        """
        self._require(endpoint)
        check_line(reason, "the reason")
        control = self.platform.control
        with control.deployments.exclusive(holder(control, self.clock), lock_timeout):
            live = self._live(endpoint)
            model = self._model_before(live, circuit, to)
            override = Override(circuit, model, Unused.BLOCKED)
            # Servers read it within a moment; the release that says the same follows.
            self.platform.workspace.endpoints.override(endpoint, override)
            release = replace(live.release, circuits={**live.release.circuits, circuit: model})
            return self._serve(live, release, (), reason)

    def everything(
        self, environment: EnvironmentName, reason: str, *, lock_timeout: timedelta
    ) -> Sequence[RolledBack]:
        """Every plant to the release before; those that have none stay as they are."""
        self.platform.control.require(Right.OPERATE, Scope(environment=environment))
        check_line(reason, "the reason")
        live = self.platform.control.releases.live(environment)
        found = []
        for plant in live:
            try:
                found.append(self.plant(Endpoint(environment, plant), reason, lock_timeout=lock_timeout))
            except NothingBefore:
                continue
        return found

    def _serve(
        self, live: NumberedRelease, release: Release, otherwise: tuple[str, ...], reason: str
    ) -> RolledBack:
        control, endpoint = self.platform.control, live.release.endpoint
        (target,) = control.releases.keep([release])
        held = control.deployments.rollouts(endpoint.environment).get(endpoint.plant)
        if held is not None and _is_what_serves(held.rollout, live):
            control.deployments.save_rollout(
                replace(held, rollout=rolled_back(held.rollout, Cause.BY_SOMEBODY), says=reason)
            )
        self.platform.workspace.endpoints.serve(endpoint, target.release.digest)
        control.releases.make_live([target])
        bad = served_alone(live.release, target.release)
        control.states.block(
            {(model.name, model.version): model.training_hash for model in bad}, reason or "rolled back"
        )
        return RolledBack(endpoint, live, target, tuple(map(str, bad)), otherwise)

    def _require(self, endpoint: Endpoint) -> None:
        self.platform.control.require(
            Right.OPERATE, Scope(environment=endpoint.environment, plant=endpoint.plant)
        )

    def _live(self, endpoint: Endpoint) -> NumberedRelease:
        live = self.platform.control.releases.live(endpoint.environment).get(endpoint.plant)
        if live is None:
            raise BadInput(f"nothing serves {endpoint}", fix="see `fleetcast releases list`")
        return live

    def _before(self, live: NumberedRelease) -> tuple[Release, tuple[str, ...]]:
        """What was live before, as the audit log says, and is another one without what was blocked since."""
        endpoint = live.release.endpoint
        for number in self._once_live(endpoint):
            earlier = self.platform.control.releases.find(endpoint, number)
            release, otherwise = self._as_it_may_be(earlier, live)
            if release.digest != live.release.digest:
                return release, otherwise
        raise NothingBefore(endpoint)

    def _as_it_may_be(
        self, earlier: NumberedRelease, live: NumberedRelease
    ) -> tuple[Release, tuple[str, ...]]:
        refused = self.platform.control.states.refused()
        return without_refused(earlier.release, live.release, refused)

    def _once_live(self, endpoint: Endpoint) -> list[int]:
        """Numbers of all that was ever live, the last first."""
        about = about_release(str(endpoint))
        entries = self.platform.control.audit.vouched([about])[about]
        numbers = [
            int(entry.event.subject.rpartition(":")[2])
            for entry in entries
            if entry.event.action == MADE_LIVE and entry.event.subject.startswith(f"{endpoint}:")
        ]
        return numbers[::-1]

    def _model_before(self, live: NumberedRelease, circuit: str, to: int | None) -> ServedModel:
        endpoint, now = live.release.endpoint, live.release.circuits.get(circuit)
        if now is None:
            raise BadInput(
                f"{endpoint} serves no circuit {circuit}", fix=f"see `fleetcast releases show {endpoint}`"
            )
        refused = self.platform.control.states.refused()
        for number in self._once_live(endpoint):
            model = self.platform.control.releases.find(endpoint, number).release.circuits.get(circuit)
            if model is None or model == now:
                continue
            is_blocked = (model.name, model.version) in refused
            if to is None and not is_blocked:
                return model
            if model.version == to:
                check_usable(self.platform, model)
                return model
        what = "another version" if to is None else f"version {to}"
        raise BadInput(
            f"circuit {circuit} of {endpoint} was never served by {what}",
            fix=f"use something simpler: `fleetcast hold {endpoint.plant}/{circuit} --use seasonal_naive`",
        )


def check_usable(platform: Platform, model: ServedModel) -> None:
    """Make sure that nobody refused a version, and that its files are there.

    Raises:
        Blocked: It was rolled back or rejected.
        FilesRemoved: Retention removed its files.
    """
    intent = platform.control.states.intent(model.name)
    match intent.refusal(model.name, model.version):
        case None:
            return
        case Refusal.REMOVED:
            raise FilesRemoved(model.name, model.version, intent.removed[model.name, model.version])
        case _:
            raise Blocked(model)


def _is_what_serves(rollout: Rollout, live: NumberedRelease) -> bool:
    """Whether a rollout is on its way, or came to what is live: if not, it says nothing of what is rolled back."""
    return not rollout.phase.is_over or (rollout.phase is Phase.DONE and rollout.green == live.release.digest)


class Blocked(BadInput):
    """A version that nothing uses."""

    def __init__(self, model: ServedModel) -> None:
        super().__init__(f"{model} was rolled back, and is blocked")
        self.fix = (
            f"choose another one, or let it be used again first: `fleetcast unblock {model} --reason …`"
        )


class NothingBefore(BadInput):
    """There is no release to go back to."""

    def __init__(self, endpoint: Endpoint) -> None:
        super().__init__(
            f"{endpoint} has no release to go back to: there was none before, or it differs in what is blocked alone"
        )
        self.fix = "hold its circuits with `fleetcast hold`, or deploy what is right"
