"""Sign off for production what is served in test."""

from __future__ import annotations

from dataclasses import dataclass

from fleetcast.domain.errors import BadInput
from fleetcast.domain.place import EnvironmentName, Gate, Scope
from fleetcast.domain.release import Endpoint, NumberedRelease
from fleetcast.domain.role import Right
from fleetcast.ports.platform import Platform


@dataclass(frozen=True, slots=True)
class SignOff:
    """Marks the versions of a release that is live in test as fit for production."""

    platform: Platform

    def __call__(self, endpoint: Endpoint, comment: str) -> NumberedRelease:
        """Sign off all that an endpoint in test serves.

        Raises:
            Denied: Whoever acts may not decide at the gate to test.
            BadInput: It is not in test, nothing serves there, or there is no comment.
        """
        if endpoint.environment is not EnvironmentName.TEST:
            raise BadInput(f"{endpoint} is not in test", fix="sign off what is served there: test/PLANT")
        place = Scope(Gate.TEST_DEPLOYMENT, endpoint.environment, endpoint.plant)
        self.platform.control.require(Right.DECIDE, place)
        if not comment.strip():
            raise BadInput("signing off needs a word on what was looked at", fix="give it with --comment")
        live = self.platform.control.releases.live(endpoint.environment).get(endpoint.plant)
        if live is None:
            raise BadInput(f"nothing serves {endpoint}", fix="deploy it with `fleetcast deploy test`")
        versions = [(model.name, model.version) for model in live.release.circuits.values()]
        self.platform.control.states.pass_qa(versions, comment)
        return live
