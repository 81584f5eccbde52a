"""Whether what guards a fleet in GitHub stands: who opens production, who merges, and who gets past it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from fleetcast.domain.diagnosis import Finding, Verdict
from fleetcast.domain.gate import GatePolicy
from fleetcast.domain.installation import Change, InstallationPlan, Leave, Step
from fleetcast.domain.installed import Kind
from fleetcast.domain.installed_github import BYPASS, NOT_SHOWN, BranchRules, DeploymentEnvironment
from fleetcast.domain.place import Gate
from fleetcast.domain.settings.github import GitHubSettings, Weakness
from fleetcast.domain.wording import counted, some_of

READABLE = "GitHub can be read"
_TWO = 2
_PROD = Gate.PROD_DEPLOYMENT
_APPLY = "fleetcast setup github --apply"
_NEVER = "never"
"""How GitHub says that whoever asks cannot bypass rules."""


@dataclass(frozen=True, slots=True)
class GuardsSeen:
    """What was seen of environments and branch rules."""

    plan: InstallationPlan
    """From that to what is declared."""
    rules: tuple[BranchRules, ...]
    """Ours that are there."""


def somebody_opens_production(seen: GuardsSeen) -> Finding:
    """Whether GitHub asks anybody before a job on the environment of production begins, and not who started it."""
    name = "GitHub asks somebody else before production"
    step = next((one for one in seen.plan.steps if one.item.ref.name == _PROD), None)
    if step is None or not isinstance(step.item, DeploymentEnvironment):
        return Finding(
            name,
            Verdict.FAILS,
            "no workflow of the fleet names that environment",
            "fleetcast update-template --ci github",
        )
    if _is_unseen(step, "administrators bypass"):
        return Finding.unknown(name, "whether administrators bypass it is not shown", _APPLY)
    environment, stands = step.item, isinstance(step, Leave)
    own = "who started it may open it" if environment.own_run_allowed else "not who started it"
    people = f"one of {some_of(sorted(environment.reviewers))}, {own}"
    return Finding.of(
        name,
        holds=stands and not environment.own_run_allowed,
        seen=people if stands else f"it is missing or differs from what is declared ({people})",
        mend=_APPLY
        if not environment.own_run_allowed
        else f"write `gates.prod-deployment: {{own_request: forbidden}}` in fleetcast.yaml, then `{_APPLY}`",
    )


def two_people_in_github(settings: GitHubSettings, policy: GatePolicy) -> Finding:
    """GitHub cannot ask two people: it never holds, and can be accepted where fleetcast itself asks for them.

    Args:
        settings: What people accept.
        policy: Of production, as fleetcast keeps it.
    """
    name = "GitHub asks two people before production"
    one = "any one reviewer opens an environment of GitHub"
    needed = counted(policy.people_needed, "person", "people")
    if policy.people_needed < _TWO:
        return Finding(
            name,
            Verdict.FAILS,
            f"{one}, and fleetcast's own gate asks for {needed} too",
            "write `gates.prod-deployment: {minimum: 2}` in fleetcast.yaml",
        )
    seen = f"{one}; fleetcast's own gate asks for {needed}, and stays shut where there are fewer"
    if Weakness.ONE_REVIEWER in settings.accepts:
        return Finding(name, Verdict.ACCEPTED, f"{seen} (github.accepts)")
    return Finding(
        name,
        Verdict.FAILS,
        seen,
        "GitHub cannot be told otherwise: write `github: {accepts: [one-reviewer]}` in fleetcast.yaml to accept it",
    )


def rules_stand(seen: GuardsSeen) -> Finding:
    """Whether nobody merges alone into the branches that lead somewhere."""
    name = "branch rules stand"
    steps = [one for one in seen.plan.steps if one.item.ref.kind is Kind.RULES]
    unseen = [one for one in steps if _is_unseen(one, BYPASS)]
    missing = [one.item.ref.name for one in steps if not isinstance(one, Leave) and one not in unseen]
    if unseen and not missing:
        return Finding.unknown(
            name,
            "they are as declared, but who may bypass them is not shown to this token",
            "look with a token that has Administration: write (`fleetcast setup github --verify`)",
        )
    return Finding.of(
        name,
        holds=bool(steps) and not missing,
        seen=f"missing or changed: {some_of(missing)}"
        if missing
        else f"of {counted(len(steps), 'branch', 'branches')}",
        mend=_APPLY,
    )


def token_is_bound(seen: GuardsSeen) -> Finding:
    """Whether whoever asks is held by the rules too."""
    name = "the token cannot bypass branch rules"
    said: Mapping[str, str] = {one.name: one.token_bypass for one in seen.rules}
    free = [f"{rules} ({how})" for rules, how in sorted(said.items()) if how not in ("", _NEVER)]
    if not said or ("" in said.values() and not free):
        why = "GitHub does not say" if said else "there are no rules"
        return Finding.unknown(name, why, "" if said else _APPLY)
    return Finding.of(
        name,
        holds=not free,
        seen=f"it may: {some_of(free)}" if free else f"bound by {counted(len(said), 'set')} of rules",
        mend=f"`{_APPLY}` takes all exceptions from our rules; run with a token of somebody who has none",
    )


def _is_unseen(step: Step, field: str) -> bool:
    """Whether all that differs is a field that this token is not shown."""
    return isinstance(step, Change) and [(one.name, one.before) for one in step.changes] == [
        (field, NOT_SHOWN)
    ]
