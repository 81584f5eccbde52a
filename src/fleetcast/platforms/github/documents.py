"""Things of an installation as GitHub describes them: read into ours, and ours written for it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import timedelta

from fleetcast.domain.canonical import Json
from fleetcast.domain.installed_github import (
    ANYBODY,
    NOBODY,
    NOT_SHOWN,
    PROTECTED,
    BranchRules,
    DeploymentEnvironment,
    WorkflowFile,
)
from fleetcast.platforms.http.documents import Document, documents, inside, number, text

USER, TEAM = "User", "Team"
_REVIEWERS, _WAIT = "required_reviewers", "wait_timer"
_PULL_REQUEST, _CHECKS = "pull_request", "required_status_checks"
_NO_FORCE, _NO_DELETION = "non_fast_forward", "deletion"
_OURS = (_PULL_REQUEST, _CHECKS, _NO_FORCE, _NO_DELETION)
_ACTIVE, _BRANCH, _TAG = "active", "branch", "tag "
_APP = "app "
_MINUTE = timedelta(minutes=1)


def environment_in(found: Document, owner: str, policies: Iterable[Document]) -> DeploymentEnvironment:
    """Read an environment.

    Args:
        found: The document.
        owner: Whose repository it is: teams belong to it.
        policies: The branches that it names, where it names some.
    """
    asked, waits = _rule(found, _REVIEWERS), number(_rule(found, _WAIT), "wait_timer")
    bypass = found.get("can_admins_bypass")
    return DeploymentEnvironment(
        text(found, "name"),
        frozenset(_reviewer(one, owner) for one in documents(asked, "reviewers")),
        asked.get("prevent_self_review") is not True,
        _branches(found, policies),
        waits * _MINUTE if waits else None,
        bypass if isinstance(bypass, bool) else None,
    )


def environment_for(item: DeploymentEnvironment, found: Document, reviewers: Sequence[Json]) -> Json:
    """Write an environment: GitHub forgets what it is not told again, so that what is not declared is told as it is.

    Args:
        item: What it should be.
        found: What it is; empty: it is not there.
        reviewers: Those of `item`, as GitHub takes them.
    """
    had = _rule(found, _REVIEWERS)
    kept: Sequence[Json] = [
        {"type": text(one, "type"), "id": number(inside(one, "reviewer"), "id")}
        for one in documents(had, "reviewers")
    ]
    wait = item.wait // _MINUTE if item.wait is not None else number(_rule(found, _WAIT), "wait_timer")
    forbidden = not item.own_run_allowed if item.reviewers else had.get("prevent_self_review") is True
    branches: Json = {"protected_branches": False, "custom_branch_policies": True}
    bypass = item.admins_bypass if item.reviewers else found.get("can_admins_bypass")
    return {
        "wait_timer": wait,
        "prevent_self_review": forbidden,
        "reviewers": list(reviewers if item.reviewers else kept) or None,
        "deployment_branch_policy": branches if item.branches else found.get("deployment_branch_policy"),
        **({"can_admins_bypass": bypass} if isinstance(bypass, bool) else {}),
    }


def branch_of(policy: Document) -> str:
    """What a deployment branch policy lets in."""
    return f"{_TAG if text(policy, 'type') == 'tag' else ''}{text(policy, 'name')}"


def has_own_branches(found: Document) -> bool:
    """Whether an environment names branches of its own."""
    return inside(found, "deployment_branch_policy").get("custom_branch_policies") is True


def workflow_in(found: Document) -> WorkflowFile:
    """Read a workflow."""
    return WorkflowFile(text(found, "path"), text(found, "state") == _ACTIVE)


def rules_in(found: Document) -> BranchRules:
    """Read branch rules in full."""
    rules = {text(one, "type"): inside(one, "parameters") for one in documents(found, "rules")}
    asked = rules.get(_PULL_REQUEST, {})
    refs = inside(inside(found, "conditions"), "ref_name")
    return BranchRules(
        text(found, "name"),
        frozenset({*_texts(refs, "include"), *(f"not {one}" for one in _texts(refs, "exclude"))}),
        number(asked, "required_approving_review_count"),
        {
            text(one, "context"): _app(one)
            for one in documents(rules.get(_CHECKS, {}), "required_status_checks")
        },
        own_push_counts=asked.get("require_last_push_approval") is not True,
        reset_by_push=asked.get("dismiss_stale_reviews_on_push") is True,
        force_pushes=_NO_FORCE not in rules,
        deletion=_NO_DELETION not in rules,
        enforced=text(found, "enforcement") == _ACTIVE and text(found, "target") == _BRANCH,
        bypass=_bypass(found),
        token_bypass=text(found, "current_user_can_bypass"),
    )


def rules_for(item: BranchRules, found: Document) -> Json:
    """Write branch rules; what they ask besides stays."""
    had = {text(one, "type"): inside(one, "parameters") for one in documents(found, "rules")}
    pull_request: Json = {
        "require_code_owner_review": False,
        "required_review_thread_resolution": False,
        **had.get(_PULL_REQUEST, {}),
        "required_approving_review_count": item.approvals,
        "dismiss_stale_reviews_on_push": item.reset_by_push,
        "require_last_push_approval": not item.own_push_counts,
    }
    kept = documents(had.get(_CHECKS, {}), "required_status_checks")
    checks = [
        *(_check(name, who) for name, who in sorted(item.checks.items())),
        *(dict(one) for one in kept if text(one, "context") not in item.checks),
    ]
    required: Json = {
        "strict_required_status_checks_policy": False,
        **had.get(_CHECKS, {}),
        "required_status_checks": checks,
    }
    rules: list[Json] = [
        *(dict(one) for one in documents(found, "rules") if text(one, "type") not in _OURS),
        {"type": _PULL_REQUEST, "parameters": pull_request},
        {"type": _NO_FORCE},
        {"type": _NO_DELETION},
    ]
    if checks:
        rules.append({"type": _CHECKS, "parameters": required})
    return {
        "name": item.name,
        "target": _BRANCH,
        "enforcement": _ACTIVE,
        "bypass_actors": [],
        "conditions": {"ref_name": {"include": sorted(item.branches), "exclude": []}},
        "rules": rules,
    }


def _rule(environment: Document, kind: str) -> Document:
    rules = documents(environment, "protection_rules")
    return next((one for one in rules if text(one, "type") == kind), {})


def _reviewer(found: Document, owner: str) -> str:
    who = inside(found, "reviewer")
    name = f"{owner}/{text(who, 'slug')}" if text(found, "type") == TEAM else text(who, "login")
    return name.lower()


def _branches(found: Document, policies: Iterable[Document]) -> frozenset[str]:
    if has_own_branches(found):
        return frozenset(map(branch_of, policies)) or frozenset({NOBODY})
    is_protected = inside(found, "deployment_branch_policy").get("protected_branches") is True
    return frozenset({PROTECTED}) if is_protected else frozenset()


def _app(check: Document) -> str:
    app = number(check, "integration_id")
    return f"{_APP}{app}" if app else ANYBODY


def _check(name: str, who: str) -> Json:
    return {"context": name} if who == ANYBODY else {"context": name, "integration_id": int(who[len(_APP) :])}


def _bypass(found: Document) -> str:
    if not isinstance(found.get("bypass_actors"), list):
        return NOT_SHOWN
    actors = (
        " ".join(filter(None, (text(one, "actor_type"), text(one, "actor_id"), text(one, "bypass_mode"))))
        for one in documents(found, "bypass_actors")
    )
    return ", ".join(sorted(actors)) or NOBODY


def _texts(found: Mapping[str, Json], name: str) -> Iterable[str]:
    values = found.get(name)
    return (one for one in (values if isinstance(values, list) else ()) if isinstance(one, str))
