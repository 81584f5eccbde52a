"""Have a circuit forecast by something else for a time, whatever is deployed, and let versions be used again."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from fleetcast.domain.errors import BadInput
from fleetcast.domain.fallback import Unused
from fleetcast.domain.given import check_line
from fleetcast.domain.place import Scope
from fleetcast.domain.release import Endpoint, ServedModel
from fleetcast.domain.role import Right
from fleetcast.domain.traffic import Override
from fleetcast.ports.clock import Clock
from fleetcast.ports.platform import Platform
from fleetcast.workflows.rollback import check_usable

SEASONAL_NAIVE = "seasonal_naive"


@dataclass(frozen=True, slots=True)
class HoldCircuit:
    """Holds survive deployments, and end by themselves."""

    platform: Platform
    clock: Clock

    def __call__(self, endpoint: Endpoint, circuit: str, use: str, until: datetime) -> Override:
        """Hold a circuit.

        Args:
            endpoint: Where.
            circuit: Which.
            use: `seasonal_naive`, or the number of a version that it was served by.
            until: Aware; after this the release says again what forecasts it.

        Raises:
            Denied: Whoever acts may not.
            BadInput: The circuit is not served there, was never served by that version, or the time is over.
        """
        self._require(endpoint)
        if until <= self.clock.now():
            raise BadInput(f"{until:%Y-%m-%d %H:%M} is over already", fix="name a moment that comes")
        live = self.platform.control.releases.live(endpoint.environment).get(endpoint.plant)
        if live is None or circuit not in live.release.circuits:
            raise BadInput(f"{endpoint} serves no circuit {circuit}", fix="see `fleetcast releases list`")
        model = (
            None
            if use == SEASONAL_NAIVE
            else self._version(live.release.circuits[circuit], endpoint, circuit, use)
        )
        override = Override(circuit, model, Unused.HELD, until)
        self.platform.workspace.endpoints.override(endpoint, override)
        self.platform.control.deployments.note_hold(endpoint, override)
        return override

    def end(self, endpoint: Endpoint, circuit: str) -> None:
        """Let the release say again what forecasts a circuit; nothing where it is not held."""
        self._require(endpoint)
        self.platform.workspace.endpoints.release_override(endpoint, circuit)
        self.platform.control.deployments.note_hold_over(endpoint, circuit)

    def _version(self, now: ServedModel, endpoint: Endpoint, circuit: str, use: str) -> ServedModel:
        if not use.isdecimal():
            raise BadInput(
                f"{use!r} is no version", fix=f"write {SEASONAL_NAIVE}, or the number of a version"
            )
        if now.version == int(use):
            return now
        for one in self.platform.control.releases.history(endpoint, 100):
            model = one.release.circuits.get(circuit)
            if model is not None and model.version == int(use):
                check_usable(self.platform, model)
                return model
        raise BadInput(
            f"circuit {circuit} of {endpoint} was never served by version {use}",
            fix=f"see `fleetcast releases list {endpoint}`",
        )

    def _require(self, endpoint: Endpoint) -> None:
        self.platform.control.require(
            Right.OPERATE, Scope(environment=endpoint.environment, plant=endpoint.plant)
        )


@dataclass(frozen=True, slots=True)
class Unblock:
    """Let a version be used again that was rolled back."""

    platform: Platform

    def __call__(self, model: str, version: int, reason: str) -> None:
        """Unblock it.

        Raises:
            Denied: Whoever acts may not.
            BadInput: It is not blocked, or there is no reason.
        """
        self.platform.control.require(Right.OPERATE)
        check_line(reason, "the reason")
        if not reason.strip():
            raise BadInput("letting a version be used again needs a reason", fix="give one with --reason")
        self.platform.control.states.unblock((model, version), reason)
