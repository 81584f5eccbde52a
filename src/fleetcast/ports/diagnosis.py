"""How a diagnosis reaches what it looks at: with the identity of this process, and each thing by itself."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from fleetcast.domain.diagnosis import Room
    from fleetcast.domain.diagnosis_github import GuardsSeen
    from fleetcast.domain.installation import InstallationPlan, Item
    from fleetcast.ports.platform import Control


class Cloud(Protocol):
    """A platform that others run. What it raises is a `FleetcastError`, which says what to do."""

    def library(self) -> str:
        """The version of the library that asks it."""

    def identity(self) -> str:
        """Get a token; says for whom it is."""

    def read(self, item: Item) -> Item | None:
        """A thing of the installation as it is; None if it is not there."""

    def rooms(self, size: str) -> Sequence[Room]:
        """How many cores there are for machines of a size, in each place where the fleet is served."""

    def versions(self, names: Collection[str]) -> Mapping[str, Collection[int]]:
        """The versions of models that are there, by name."""


@dataclass(frozen=True, slots=True)
class Ways:
    """What can be asked around one fleet; each may raise a `FleetcastError`, which is what was found then."""

    control: Callable[[], Control]
    database: Callable[[], str]
    """The address of the control database, once it has answered."""
    on_server: bool
    """Whether it is on PostgreSQL."""
    files: Callable[[], str]
    """Writes a small file where the fleet keeps its files, reads it back and removes it; says where."""
    plants: Callable[[], int]
    """How many the fleet declares."""
    devops: Callable[[], InstallationPlan] | None
    """What differs in Azure DevOps; None: the fleet is not set up there."""
    github: Callable[[], GuardsSeen] | None
    """What is seen of environments and branch rules in GitHub; None: the fleet is not set up there."""
    cloud: Cloud | None
    """None: the fleet is on a machine of its own."""
    wanted: Callable[[], Sequence[Item]]
    """What has to be there in the cloud."""
    listed: Callable[[], Mapping[str, Collection[int]]]
    """Versions of models by name, as the control database has them."""
