"""Bringing what is installed around a fleet to what its repository declares."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from fleetcast.domain.errors import FleetcastError
from fleetcast.domain.installation import (
    Change,
    Create,
    InstallationPlan,
    Item,
    SetUpStopped,
    plan_installation,
)
from fleetcast.domain.installed import Trust
from fleetcast.domain.installed_devops import ServiceConnection
from fleetcast.domain.role import Right
from fleetcast.ports.installation import Installation
from fleetcast.ports.platform import Control


def _silent(_step: Create | Change) -> None:
    """Tell nobody."""


@dataclass(frozen=True, slots=True)
class SetUp:
    """Plan, apply and verify an installation; only an admin may."""

    control: Control
    installation: Installation
    wanted: Sequence[Item]
    known: Sequence[Trust] = ()
    """Whose tokens identities in Azure must trust, as far as that is known without asking."""

    def plan(self) -> InstallationPlan:
        """What differs; nothing is changed.

        Raises:
            Denied: Whoever asks is no admin.
            BadInput: Something may not be seen.
            Unavailable: The installation does not answer.
        """
        self.control.require(Right.MANAGE)
        return plan_installation(self.wanted, self.installation.found(self.wanted))

    def apply(
        self, plan: InstallationPlan, told: Callable[[Create | Change], None] = _silent
    ) -> InstallationPlan:
        """Do what a plan says, in its order; gives what differs afterwards, read anew.

        Args:
            plan: The last one that was made here.
            told: Is told of each step once it is done.

        Raises:
            Denied: Whoever asks is no admin.
            SetUpStopped: A step failed; those before it are done.
        """
        self.control.require(Right.MANAGE)
        for done, step in enumerate(plan.work):
            try:
                if isinstance(step, Create):
                    self.installation.create(step.item)
                else:
                    self.installation.change(step.item)
            except FleetcastError as error:
                raise SetUpStopped(step.item.ref, done, len(plan.work), error) from error
            told(step)
        return self.plan()

    def trusts(self) -> Sequence[Trust]:
        """Whose tokens identities in Azure must trust; of service connections only those that are there."""
        self.control.require(Right.MANAGE)
        names = {item.name for item in self.wanted if isinstance(item, ServiceConnection)}
        if not names:
            return self.known
        connections = [
            item.trust
            for item in self.installation.found(())
            if isinstance(item, ServiceConnection) and item.name in names and item.issuer
        ]
        return [*self.known, *connections]
