"""Look at what is served in test on recent readings, and sign it off for production."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from fleetcast.domain.errors import BadInput, FleetcastError
from fleetcast.domain.fleet import Fleet
from fleetcast.domain.given import check_line
from fleetcast.domain.identity import matching_plants
from fleetcast.domain.place import EnvironmentName, Gate, Scope
from fleetcast.domain.release import NumberedRelease
from fleetcast.domain.role import Right
from fleetcast.pipeline.qa import Checked, CheckOnRecent
from fleetcast.ports.models import QaPassed
from fleetcast.ports.platform import Platform

TEST = EnvironmentName.TEST
Watch = Callable[[Iterator[Checked], int], Iterator[Checked]]
"""Lets somebody see how far it is: gives on what it is given, and is told how many there are."""


class NotFit(FleetcastError):
    """Something that is served in test does not forecast what can be true; nothing was signed off."""

    def __init__(self, wrong: Sequence[Checked]) -> None:
        shown = "; ".join(f"{one.key} ({one.model}): {one.why_not}" for one in wrong[:5])
        more = f" and {len(wrong) - 5} more" if len(wrong) > 5 else ""
        super().__init__(f"nothing was signed off: {shown}{more}")
        self.fix = "roll these circuits back in test, or repair their readings; see `fleetcast qa check`"


@dataclass(frozen=True, slots=True)
class SignedOff:
    """What may go to production from now on, and what it was seen to do."""

    releases: tuple[NumberedRelease, ...]
    checked: tuple[Checked, ...]


@dataclass(frozen=True, slots=True)
class CheckServed:
    """Has everything that plants are served by in test forecast from recent readings."""

    platform: Platform
    check: CheckOnRecent

    def __call__(self, fleet: Fleet, plants: Sequence[str]) -> Iterator[Checked]:
        """Check what plants are served by.

        Args:
            fleet: As declared; what it does not declare any more is left out.
            plants: Patterns, of which each matches a plant that is served there; all without any.

        Raises:
            Denied: Whoever acts may not look there.
            BadInput: Nothing serves there.
        """
        releases = self.releases(plants)
        self.platform.control.require(
            Right.VIEW, *(Scope(environment=TEST, plant=one.release.plant) for one in releases)
        )
        circuits = {circuit.key: circuit for circuit in fleet.circuits}
        return (
            self.check(circuit, one.release.circuits[circuit.key.circuit])
            for one in releases
            for circuit in circuits.values()
            if circuit.key.plant == one.release.plant and circuit.key.circuit in one.release.circuits
        )

    def releases(self, plants: Sequence[str]) -> list[NumberedRelease]:
        """What serves plants in test.

        Raises:
            Denied: Whoever acts may look nowhere.
            BadInput: Nothing does.
        """
        self.platform.control.require_somewhere(Right.VIEW)
        live = self.platform.control.releases.live(TEST)
        if not live:
            raise BadInput("nothing is served in test", fix="deploy there with `fleetcast deploy test`")
        return [live[plant] for plant in matching_plants(list(live), plants)]


@dataclass(frozen=True, slots=True)
class SignOff:
    """Marks the versions of releases that are live in test as fit for production."""

    checking: CheckServed

    def __call__(
        self, fleet: Fleet, plants: Sequence[str], comment: str, watch: Watch = lambda each, _total: each
    ) -> SignedOff:
        """Check all that plants are served by in test, and sign it off, or nothing.

        Args:
            fleet: As declared.
            plants: Patterns, of which each matches a plant that is served there.
            comment: What was looked at.
            watch: Sees how far it is.

        Raises:
            Denied: Whoever acts may not decide at the gate to test.
            BadInput: Nothing serves there, or there is no comment.
            NotFit: A version does not forecast what can be true.
        """
        control = self.checking.platform.control
        control.require_somewhere(Right.DECIDE)
        check_line(comment, "the comment")
        if not comment.strip():
            raise BadInput("signing off needs a word on what was looked at", fix="give it with --comment")
        releases = self.checking.releases(plants)
        control.require(
            Right.DECIDE, *(Scope(Gate.TEST_DEPLOYMENT, TEST, one.release.plant) for one in releases)
        )
        total = sum(len(one.release.circuits) for one in releases)
        checked = tuple(watch(self.checking(fleet, plants), total))
        wrong = [one for one in checked if one.why_not]
        if wrong:
            raise NotFit(wrong)
        control.states.pass_qa(
            [QaPassed(one.model.name, one.model.version, one.newest_reading, one.skill) for one in checked],
            comment,
        )
        return SignedOff(tuple(releases), checked)
