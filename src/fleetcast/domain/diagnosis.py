"""Whether a fleet stands as it should: what was looked at, what was seen, and how to mend it."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType

from fleetcast.domain.gate import GatePolicy, effective
from fleetcast.domain.installation import InstallationPlan, Item, Leave, differences
from fleetcast.domain.installed import Kind
from fleetcast.domain.installed_azure import AzureRegistry, AzureWorkspace
from fleetcast.domain.installed_devops import ApprovalCheck
from fleetcast.domain.people import Directory, Person, folded
from fleetcast.domain.people import Kind as PersonKind
from fleetcast.domain.place import EnvironmentName, Gate, Scope
from fleetcast.domain.role import RIGHTS, Right
from fleetcast.domain.settings import PlatformKind, Settings
from fleetcast.domain.wording import counted, some_of

_TWO = 2
_PROD = Gate.PROD_DEPLOYMENT
_APPLY_DEVOPS = "fleetcast setup azure-devops --apply"
_APPLY_AZURE = "fleetcast setup azure --apply"
PLACES = 2
"""Deployments of an endpoint at the same time: blue and green."""


_EACH = 1
"""Machines of a deployment that serve."""
_RESERVED = 5
"""For so many machines of a deployment Azure keeps one for upgrades: it asks for more quota than it starts."""


class Verdict(StrEnum):
    """Of one thing that was looked at."""

    HOLDS = "holds"
    FAILS = "does not hold"
    NOT_CHECKED = "not checked"
    ACCEPTED = "accepted"
    """It does not hold, and people have written down that they know."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at."""

    name: str
    verdict: Verdict
    seen: str
    """Or why it was not looked at."""
    mend: str = ""

    @classmethod
    def of(cls, name: str, *, holds: bool, seen: str, mend: str) -> Finding:
        """What was seen, with its mend where it does not hold."""
        return cls(name, Verdict.HOLDS if holds else Verdict.FAILS, seen, "" if holds else mend)

    @classmethod
    def unknown(cls, name: str, why: str, mend: str = "") -> Finding:
        """What could not be looked at."""
        return cls(name, Verdict.NOT_CHECKED, why, mend)


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """Everything that was looked at, and whom to ask."""

    findings: tuple[Finding, ...]
    contacts: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    """How to reach them, by their names."""

    @property
    def is_well(self) -> bool:
        """Whether nothing was found that does not hold; what was not checked may still."""
        return all(one.verdict is not Verdict.FAILS for one in self.findings)


@dataclass(frozen=True, slots=True)
class Room:
    """How many cores there are for machines of one size, in one place."""

    location: str
    family: str
    cores_each: int
    limit: int
    """Negative: there is none."""
    used: int
    """By everybody."""
    ours: int
    """Of that, by deployments of the fleet's workspaces."""
    environments: int
    """Of the fleet, that are served there."""


def as_wanted(wanted: Item, found: Item | None) -> Finding:
    """Whether a thing of an installation is there, and as it should be."""
    name = f"{wanted.ref} is there"
    if found is None:
        mend = wanted.command if isinstance(wanted, AzureWorkspace | AzureRegistry) else _APPLY_AZURE
        return Finding(name, Verdict.FAILS, "it is not there", mend)
    changes = differences(wanted, found)
    seen = "; ".join(f"{one.name} is {one.before} and should be {one.after}" for one in changes)
    return Finding.of(name, holds=not changes, seen=seen or "as declared", mend=_APPLY_AZURE)


def database_suits(*, on_server: bool, address: str) -> Finding:
    """Whether a fleet in Azure has a database that its agents and containers reach."""
    return Finding.of(
        "the control database is on PostgreSQL",
        holds=on_server,
        seen=address,
        mend="set FLEETCAST_DATABASE_URL=postgresql://…, then `fleetcast database copy` (docs/SETUP.md)",
    )


def two_people_for_production(
    in_force: Mapping[Gate, GatePolicy], declared: Mapping[Gate, GatePolicy]
) -> Finding:
    """Whether nobody brings anything to production alone, by the policy that is in force."""
    policy = effective(in_force, declared)[_PROD]
    alone = []
    if policy.people_needed < _TWO:
        alone.append(f"{counted(policy.people_needed, 'person', 'people')} decides")
    if policy.own_request_allowed:
        alone.append("who asks may approve")
    if not policy.verified:
        alone.append("people need not be signed in, so one can pass for two")
    glass = "; whoever may break glass goes through alone, which is on record" if policy.break_glass else ""
    said = "; ".join(alone) or f"{policy.people_needed} signed-in people, not who asks"
    return Finding.of(
        "production demands two people",
        holds=not alone,
        seen=f"{said}{glass}",
        mend="write `gates.prod-deployment: {minimum: 2, own_request: forbidden, verified: true}` in fleetcast.yaml: "
        "what only restricts holds at once",
    )


def two_people_in_devops(plan: InstallationPlan) -> Finding:
    """Whether Azure DevOps asks two people, too, before a job on the environment of production begins."""
    name = "Azure DevOps asks two people before production"
    step = next(
        (one for one in plan.steps if isinstance(one.item, ApprovalCheck) and one.item.environment == _PROD),
        None,
    )
    if step is None or not isinstance(step.item, ApprovalCheck):
        return Finding(
            name,
            Verdict.FAILS,
            "no pipeline of the fleet names that environment",
            "fleetcast update-template",
        )
    check, stands = step.item, isinstance(step, Leave)
    holds = stands and check.minimum >= _TWO and len(check.approvers) >= _TWO and not check.own_run_allowed
    people = f"{check.minimum} of {counted(len(check.approvers), 'approver')}"
    seen = people if stands else f"the check is missing or differs from what is declared ({people})"
    return Finding.of(name, holds=holds, seen=seen, mend=_APPLY_DEVOPS)


def policies_stand(plan: InstallationPlan) -> Finding:
    """Whether nobody merges alone into the branches that lead somewhere."""
    steps = [one for one in plan.steps if one.item.ref.kind is Kind.POLICY]
    missing = [one.item.ref.name for one in steps if not isinstance(one, Leave)]
    return Finding.of(
        "branch policies stand",
        holds=bool(steps) and not missing,
        seen=f"missing or changed: {some_of(missing)}"
        if missing
        else counted(len(steps), "policy", "policies"),
        mend=_APPLY_DEVOPS,
    )


def programs_cannot_approve(
    directory: Directory, in_force: Mapping[Gate, GatePolicy], settings: Settings
) -> Finding:
    """Whether no service account decides at a gate, and no identity of a pipeline in Azure DevOps."""
    name = "a service principal cannot approve"
    deciding = [
        f"{person} at {gate}"
        for person in directory.people
        if person.kind is PersonKind.SERVICE
        for gate, policy in in_force.items()
        if _decides(directory, person, gate, policy)
    ]
    devops = settings.azure_devops
    if devops is not None:
        acting = {one.client_id.lower(): name for name, one in devops.connections.items()}
        deciding += [
            f"service connection {acting[who]} at {gate} of Azure DevOps"
            for gate, approvers in devops.approvers.items()
            for who in approvers
            if who in acting
        ]
    if directory.is_open and not deciding:
        unguarded = [gate.value for gate, policy in in_force.items() if not policy.verified]
        has_pipelines = devops is not None or settings.github is not None
        is_shared = has_pipelines or settings.platform.kind is PlatformKind.AZUREML
        seen = f"nobody is on record, so whoever reaches the database decides at {some_of(unguarded)}"
        if unguarded:
            verdict = Verdict.FAILS if is_shared else Verdict.NOT_CHECKED
            return Finding(name, verdict, seen, "fleetcast people add NAME --role ROLE")
    return Finding.of(
        name,
        holds=not deciding,
        seen=f"these may: {some_of(deciding)}" if deciding else "no service account on record may decide",
        mend="take them out of `services` of the gate and of `azure_devops.approvers`, or take their role: "
        "`fleetcast people revoke`",
    )


def _decides(directory: Directory, person: Person, gate: Gate, policy: GatePolicy) -> bool:
    named = any(folded(each) == folded(person.name) for each in policy.services)
    place = Scope(gate=gate)
    return (named and _has(directory, person, Right.DECIDE, place)) or (
        policy.break_glass and _has(directory, person, Right.BREAK_GLASS, place)
    )


def _has(directory: Directory, person: Person, right: Right, place: Scope) -> bool:
    """Whether somebody on record has a right at a place."""
    return not person.disabled and any(
        right in RIGHTS[grant.role] and grant.scope.covers(place) for grant in directory.grants_of(person)
    )


def somebody_rolls_back_alone(directory: Directory) -> Finding:
    """Whether a person may roll back production at night without asking anybody."""
    name, place = "an operator can roll back alone", Scope(environment=EnvironmentName.PROD)
    if directory.is_open:
        return Finding(name, Verdict.HOLDS, "nobody is on record: whoever reaches the database may")
    able = [
        person.name
        for person in directory.people
        if person.kind is PersonKind.HUMAN and _has(directory, person, Right.OPERATE, place)
    ]
    return Finding.of(
        name,
        holds=bool(able),
        seen=some_of(able) if able else "nobody on record may roll back in prod",
        mend="fleetcast people grant NAME operator --environment prod",
    )


def with_reserve(machines: int) -> int:
    """For how many machines a deployment needs quota."""
    return machines + -(-machines // _RESERVED)


def cores_suffice(rooms: Iterable[Room], plants: int) -> Sequence[Finding]:
    """Whether blue and green of every plant fit into the quota, in each place, with what Azure keeps in reserve.

    Some sizes are exempt from the reserve; which ones cannot be asked, so it is counted for all of them.
    """
    found = []
    for room in rooms:
        deployments = plants * PLACES * room.environments
        machines = deployments * with_reserve(_EACH)
        needed, free = machines * room.cores_each, room.limit - (room.used - room.ours)
        limit = "no limit" if room.limit < 0 else f"{free} of {room.limit} for this fleet"
        found.append(
            Finding.of(
                f"quota in {room.location} is enough for blue and green",
                holds=room.limit < 0 or needed <= free,
                seen=f"{counted(deployments, 'deployment')} × {with_reserve(_EACH)} machines, one of them in reserve, "
                f"× {counted(room.cores_each, 'core')} = {needed} needed, {limit} ({room.family})",
                mend="ask for quota, or write a smaller azure.instance_type",
            )
        )
    return found


def index_matches(listed: Mapping[str, Collection[int]], held: Mapping[str, Collection[int]]) -> Finding:
    """Whether the workspace still holds each version that the control database lists; more there is no harm."""
    lacking = [
        f"{name}:{version}"
        for name, versions in sorted(listed.items())
        for version in sorted(versions)
        if version not in held.get(name, ())
    ]
    number = sum(map(len, listed.values()))
    return Finding.of(
        "the workspace holds what the control database lists",
        holds=not lacking,
        seen=f"{counted(len(lacking), 'version')} missing in Azure: {some_of(lacking)}"
        if lacking
        else f"{counted(number, 'version')} in both",
        mend="restore them in Azure ML studio (archived or deleted there?), or train anew; nothing is overwritten",
    )
