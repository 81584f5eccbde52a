"""The plan of an installation, in words and as JSON."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from fleetcast.domain.azure_roles import NEEDED_ROLES
from fleetcast.domain.canonical import Json
from fleetcast.domain.installation import Blocked, Change, Create, FieldChange, InstallationPlan, Leave, Step
from fleetcast.domain.installed import Trust
from fleetcast.domain.legible import legible
from fleetcast.domain.wording import counted, some_of

ADD, ALTER, STUCK = "+", "~", "!"
"""What a line begins with: something is made, changed, or left to people."""


def lines(plan: InstallationPlan) -> Iterator[str]:
    """What a plan would do, a line for each thing and each field that differs."""
    for step in plan.steps:
        match step:
            case Create(item=item):
                yield f"{ADD} {item.ref}"
                for name, value in item.fields.items():
                    yield f"      {name}: {_shown(value)}"
            case Change(item=item, changes=changes):
                yield f"{ALTER} {item.ref}"
                for change in changes:
                    yield f"      {change.name}: {_before(change)} → {_shown(change.after)}"
            case Blocked(item=item, why=why, fix=fix):
                yield f"{STUCK} {item.ref}"
                yield f"      {legible(why)}"
                yield f"      {fix}"
            case Leave():
                pass


def summary(plan: InstallationPlan) -> str:
    """A plan in one line."""
    if plan.is_empty:
        return f"nothing to do: {counted(len(plan.steps), 'thing')} as declared"
    made = sum(isinstance(step, Create) for step in plan.steps)
    changed = sum(isinstance(step, Change) for step in plan.steps)
    left = sum(isinstance(step, Leave) for step in plan.steps)
    blocked = f", {len(plan.blocked)} for people to decide" if plan.blocked else ""
    return f"{made} to make, {changed} to change, {left} as declared{blocked}"


def others_in_one_line(plan: InstallationPlan) -> str:
    """What is there besides; empty if nothing is."""
    return f"not ours, left as it is: {some_of(map(legible, map(str, plan.others)))}" if plan.others else ""


def roles_lines(plan: InstallationPlan) -> Iterator[str]:
    """The least that whoever applies a plan needs."""
    for kind, role in plan.roles.items():
        yield f"{kind}: {role}"


def needed_roles_lines() -> Iterator[str]:
    """Which roles in Azure each command needs."""
    return map(str, NEEDED_ROLES)


def needed_roles_as_json() -> dict[str, Json]:
    """The same for programs."""
    return {"roles": [{"command": one.command, "role": one.role, "on": one.on} for one in NEEDED_ROLES]}


def trust_lines(trusts: Iterable[Trust]) -> Iterator[str]:
    """What identities must trust, as only Azure can be told; what is no single subject is an expression there."""
    for one in trusts:
        yield f"{one.name}: identity {one.client_id}"
        yield f"      issuer {one.issuer}"
        if "*" in one.subject:
            yield f"      claims matching expression claims['sub'] matches '{one.subject}'"
        else:
            yield f"      subject {one.subject}"
        yield "      audience api://AzureADTokenExchange"


def done_line(step: Create | Change) -> str:
    """What was just done."""
    return f"{ADD if isinstance(step, Create) else ALTER} {step.item.ref}: done"


def as_json(plan: InstallationPlan, trusts: Iterable[Trust]) -> dict[str, Json]:
    """A plan, who may apply it, and what identities must trust."""
    return {
        "nothing_to_do": plan.is_empty,
        "steps": [_step(step) for step in plan.steps],
        "not_ours": [{"kind": ref.kind.value, "name": ref.name} for ref in plan.others],
        "roles": [{"kind": kind.value, "role": role} for kind, role in plan.roles.items()],
        "trusts": [
            {
                "connection": one.name,
                "client_id": one.client_id,
                "issuer": one.issuer,
                "subject": one.subject,
            }
            for one in trusts
        ],
    }


def _step(step: Step) -> Json:
    ref = step.item.ref
    action, changes, why, fix = "leave", (), "", ""
    found: Iterable[FieldChange] = changes
    match step:
        case Create(item=item):
            action = "create"
            found = [FieldChange(name, None, value) for name, value in item.fields.items()]
        case Change(changes=changed):
            action, found = "change", changed
        case Blocked():
            action, why, fix = "blocked", step.why, step.fix
        case Leave():
            pass
    return {
        "kind": ref.kind.value,
        "name": ref.name,
        "action": action,
        "changes": [{"field": one.name, "before": one.before, "after": one.after} for one in found],
        "why": why,
        "fix": fix,
    }


def _before(change: FieldChange) -> str:
    return "(absent)" if change.before is None else _shown(change.before)


def _shown(value: str) -> str:
    """A value on one line, in whole, whatever somebody has written there."""
    return legible(value) or '""'
