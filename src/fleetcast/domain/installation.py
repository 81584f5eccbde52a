"""The plan from what an installation holds to what it should hold.

Only the fields of what is wanted are compared, so that what somebody else has added to the same thing stays as it is.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

from fleetcast.domain.errors import FleetcastError
from fleetcast.domain.installed import ROLES, Kind, Ref
from fleetcast.domain.installed_azure import (
    AzureItem,
    AzureRegistry,
    AzureWorkspace,
    BlobDatastore,
    ClusterSchedule,
    ComputeCluster,
    SwitchedOff,
)
from fleetcast.domain.installed_devops import DevOpsItem, VariableGroup
from fleetcast.domain.installed_github import GitHubItem, SecretName, WorkflowFile
from fleetcast.domain.wording import counted

Item = DevOpsItem | GitHubItem | AzureItem


@dataclass(frozen=True, slots=True)
class FieldChange:
    """One field that is not as it should be."""

    name: str
    before: str | None
    """None: it is not there."""
    after: str


@dataclass(frozen=True, slots=True)
class Create:
    """Make what is missing."""

    item: Item


@dataclass(frozen=True, slots=True)
class Change:
    """Bring some fields to what they should be."""

    item: Item
    changes: tuple[FieldChange, ...]


@dataclass(frozen=True, slots=True)
class Leave:
    """It is as it should be."""

    item: Item


@dataclass(frozen=True, slots=True)
class Blocked:
    """It cannot be changed without a loss to somebody."""

    item: Item
    why: str
    fix: str


Step = Create | Change | Leave | Blocked


@dataclass(frozen=True, slots=True)
class InstallationPlan:
    """What would be done, in this order, and what is there besides and stays as it is."""

    steps: tuple[Step, ...]
    others: tuple[Ref, ...]
    """Not ours."""

    @property
    def work(self) -> tuple[Create | Change, ...]:
        """What there is to do."""
        return tuple(step for step in self.steps if isinstance(step, Create | Change))

    @property
    def blocked(self) -> tuple[Blocked, ...]:
        """What only people can do."""
        return tuple(step for step in self.steps if isinstance(step, Blocked))

    @property
    def is_empty(self) -> bool:
        """Whether all is as it should be."""
        return all(isinstance(step, Leave) for step in self.steps)

    @property
    def roles(self) -> Mapping[Kind, str]:
        """The least that whoever applies it must be given."""
        kinds = {step.item.ref.kind for step in self.steps if not isinstance(step, Leave)}
        return {kind: role for kind, role in ROLES.items() if kind in kinds}


class SetUpStopped(FleetcastError):
    """An installation was changed in part; what is done stays, and the same command does the rest."""

    def __init__(self, at: Ref, done: int, of: int, error: FleetcastError) -> None:
        super().__init__(f"stopped at {at}, with {done} of {counted(of, 'step')} done: {error}")
        again = "then run the same command again: it does the rest"
        self.fix = f"{error.fix}; {again}" if error.fix else again


def plan_installation(wanted: Iterable[Item], found: Iterable[Item]) -> InstallationPlan:
    """Compare what should be with what is.

    Args:
        wanted: Each thing once.
        found: Of all kinds, somebody else's things too. Of several with one name the first counts.
    """
    held: dict[Ref, Item] = {}
    more: list[Ref] = []
    for item in found:
        if item.ref in held:
            more.append(Ref(item.ref.kind, f"{item.ref.name} (another)"))
        else:
            held[item.ref] = item
    asked = {item.ref: item for item in wanted}
    order = {kind: number for number, kind in enumerate(Kind)}
    lacking = {
        ref.name for ref, item in asked.items() if isinstance(item, AzureWorkspace) and ref not in held
    }
    steps = [
        _step(asked[ref], held.get(ref), lacking)
        for ref in sorted(asked, key=lambda ref: (order[ref.kind], ref.name))
        if ref in held or not isinstance(asked[ref], SwitchedOff)
    ]
    others = sorted({ref for ref in held if ref not in asked}.union(more))
    return InstallationPlan(tuple(steps), tuple(others))


def differences(wanted: Item, found: Item) -> tuple[FieldChange, ...]:
    """The fields that are not as they should be; what is found besides does not matter."""
    has = found.fields
    return tuple(
        FieldChange(name, has.get(name), value)
        for name, value in wanted.fields.items()
        if has.get(name) != value
    )


def _step(wanted: Item, found: Item | None, lacking: Collection[str]) -> Step:
    if isinstance(found, ClusterSchedule) and not found.is_ours:
        return _of_somebody_else(wanted)
    if isinstance(wanted, ClusterSchedule) and wanted.lacks is not None:
        return Blocked(wanted, wanted.lacks.why, wanted.lacks.fix)
    if found is None:
        return _missing(wanted, lacking)
    changes = differences(wanted, found)
    if not changes:
        return Leave(wanted)
    lost = _lost(wanted, found)
    if lost:
        return Blocked(
            wanted,
            f"it holds {', '.join(lost)}, which would be lost as it has to hold {wanted.fields['holds']}",
            "move them to a group of their own, or delete them, then run this again",
        )
    if isinstance(wanted, ComputeCluster) and isinstance(found, ComputeCluster) and wanted.size != found.size:
        return Blocked(
            wanted,
            f"its machines are {found.size} and should be {wanted.size}, and Azure never changes those of a cluster",
            "write the name of another cluster below `azure.compute`, or delete this one while it has no jobs, "
            "then run this again",
        )
    return Change(wanted, changes)


def _of_somebody_else(wanted: Item) -> Step:
    """A schedule of our name that fleetcast did not make: it is in the way only of one that is wanted."""
    if isinstance(wanted, SwitchedOff):
        return Leave(wanted)
    return Blocked(
        wanted,
        "there is a schedule of that name that fleetcast did not make",
        "rename or delete it in Azure ML studio, then run this again",
    )


def _missing(wanted: Item, lacking: Collection[str]) -> Step:
    if isinstance(wanted, BlobDatastore | ComputeCluster | ClusterSchedule) and wanted.workspace in lacking:
        return Blocked(
            wanted, f"there is no workspace {wanted.workspace} yet", "make it, then run this again"
        )
    if isinstance(wanted, AzureWorkspace | AzureRegistry):
        return Blocked(
            wanted,
            "it is not there; making it deploys resources, which somebody with the right to do so decides",
            wanted.command,
        )
    if isinstance(wanted, SecretName):
        return Blocked(
            wanted, "it is not there; people enter its value, and it is never read", wanted.command
        )
    if isinstance(wanted, WorkflowFile):
        return Blocked(
            wanted,
            "GitHub does not know it: it knows what is on the default branch",
            "commit the file and bring it to the default branch, then run this again",
        )
    return Create(wanted)


def _lost(wanted: Item, found: Item) -> Sequence[str]:
    """Names of what cannot stay in a group that has to hold something else."""
    if not isinstance(wanted, VariableGroup) or not isinstance(found, VariableGroup):
        return ()
    if type(wanted.content) is type(found.content):
        return ()
    return sorted(found.content.names)
