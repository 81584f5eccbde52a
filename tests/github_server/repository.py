"""The state of one repository, and what each request does to it.

As strict as the service where that is known: names are unique, whoever is named must exist, unknown fields are refused,
an environment forgets what it is not told again, and secrets are never given back.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from tests.devops_server.refused import Refused

Body = dict[str, Any]
OWNER, NAME = "acme", "fleet"
MOMENT = "2025-12-01T12:00:00Z"
PEOPLE = {"ada": 1, "ben": 2, "cleo": 3}
TEAMS = {"leads": 11, "qa": 12}
PULL_REQUEST = (
    "required_approving_review_count dismiss_stale_reviews_on_push require_code_owner_review "
    "require_last_push_approval required_review_thread_resolution"
)


@dataclass(slots=True)
class Repository:
    """Everything by its name."""

    owner_type: str = "Organization"
    environments: dict[str, Body] = field(default_factory=dict)
    policies: dict[str, list[Body]] = field(default_factory=dict)
    """Branches of an environment."""
    variables: dict[str, dict[str, str]] = field(default_factory=lambda: {"": {}})
    """By the environment that has them; the repository itself goes by no name."""
    secrets: list[str] = field(default_factory=list)
    lent: list[str] = field(default_factory=list)
    """Secrets of the organisation that the repository may use."""
    workflows: dict[str, Body] = field(default_factory=dict)
    rulesets: dict[int, Body] = field(default_factory=dict)
    writer: bool = True
    """Whether who asks may write rules, and so sees who bypasses them."""
    bypass: str = "never"
    """Whether who asks may bypass rules."""
    bypass_is_shown: bool = True
    """Whether environments say if administrators bypass them, which is in no description."""
    last: int = 100

    def knows(self, files: Iterable[str]) -> None:
        """Bring workflows to the default branch."""
        for file in files:
            self.workflows[file] = {"id": self._next(), "name": file, "path": file, "state": "active"}

    def ruleset(self, name: str) -> Body:
        """What a test looks at or changes by hand."""
        return next(one for one in self.rulesets.values() if one["name"] == name)

    # The repository, people and teams -------------------------------------------------------------------------

    def itself(self) -> Body:
        return {
            "id": 1,
            "name": NAME,
            "full_name": f"{OWNER}/{NAME}",
            "owner": {"login": OWNER, "type": self.owner_type},
        }

    def user(self, login: str) -> Body:
        if login not in PEOPLE:
            raise Refused(404, "Not Found")
        return {"id": PEOPLE[login], "login": login.capitalize(), "type": "User"}

    def team(self, owner: str, slug: str) -> Body:
        if owner != OWNER or slug not in TEAMS:
            raise Refused(404, "Not Found")
        return {"id": TEAMS[slug], "slug": slug, "name": slug.capitalize()}

    # Environments ---------------------------------------------------------------------------------------------

    def list_environments(self) -> list[Body]:
        shown = list(self.environments.values())
        if self.bypass_is_shown:
            return shown
        return [{key: value for key, value in one.items() if key != "can_admins_bypass"} for one in shown]

    def put_environment(self, name: str, body: Body) -> Body:
        only(body, "wait_timer prevent_self_review reviewers deployment_branch_policy can_admins_bypass")
        held = self.environments.get(name, {"id": self._next(), "name": name})
        rules: list[Body] = []
        wait, reviewers = body.get("wait_timer") or 0, body.get("reviewers") or []
        if not 0 <= wait <= 43_200:
            raise Refused(422, "wait_timer must be between 0 and 43200")
        if len(reviewers) > 6:
            raise Refused(422, "There are too many reviewers")
        if wait:
            rules.append({"id": self._next(), "type": "wait_timer", "wait_timer": wait})
        if reviewers:
            forbids = bool(body.get("prevent_self_review"))
            listed = [self._reviewer(one) for one in reviewers]
            rules.append(
                {
                    "id": self._next(),
                    "type": "required_reviewers",
                    "prevent_self_review": forbids,
                    "reviewers": listed,
                }
            )
        branches = body.get("deployment_branch_policy")
        if branches is not None:
            only(branches, "protected_branches custom_branch_policies")
            if branches["protected_branches"] == branches["custom_branch_policies"]:
                raise Refused(422, "protected_branches and custom_branch_policies cannot have the same value")
            rules.append({"id": self._next(), "type": "branch_policy"})
        if branches is None or not branches["custom_branch_policies"]:
            self.policies[name] = []
        self.environments[name] = {
            **held,
            "protection_rules": rules,
            "deployment_branch_policy": branches,
            "can_admins_bypass": body.get("can_admins_bypass", True),
        }
        self.policies.setdefault(name, [])
        self.variables.setdefault(name, {})
        return self.environments[name]

    def _reviewer(self, one: Body) -> Body:
        only(one, "type id")
        known = PEOPLE if one["type"] == "User" else TEAMS
        name = next((name for name, number in known.items() if number == one["id"]), None)
        if name is None:
            raise Refused(422, "Validation Failed", (f"{one['type']} {one['id']} does not exist",))
        who = self.user(name) if one["type"] == "User" else self.team(OWNER, name)
        return {"type": one["type"], "reviewer": who}

    def list_policies(self, environment: str) -> list[Body]:
        self._environment(environment)
        return self.policies[environment]

    def add_policy(self, environment: str, body: Body) -> Body:
        only(body, "name type")
        held = self._environment(environment)
        if not (held["deployment_branch_policy"] or {}).get("custom_branch_policies"):
            raise Refused(404, "Not Found")
        if any(one["name"] == body["name"] for one in self.policies[environment]):
            raise Refused(303, "Already exists")
        made = {"id": self._next(), "name": body["name"], "type": body.get("type", "branch")}
        self.policies[environment].append(made)
        return made

    def remove_policy(self, environment: str, number: int) -> None:
        held = self.policies[environment]
        if number not in [one["id"] for one in held]:
            raise Refused(404, "Not Found")
        self.policies[environment] = [one for one in held if one["id"] != number]

    def _environment(self, name: str) -> Body:
        if name not in self.environments:
            raise Refused(404, "Not Found")
        return self.environments[name]

    # Variables and secrets ------------------------------------------------------------------------------------

    def list_variables(self, place: str) -> list[Body]:
        if place:
            self._environment(place)
        return [
            {"name": name, "value": value, "created_at": MOMENT}
            for name, value in self.variables[place].items()
        ]

    def add_variable(self, place: str, body: Body) -> Body:
        only(body, "name value")
        if place:
            self._environment(place)
        name = body["name"].upper()
        if name.startswith("GITHUB_") or not name.replace("_", "a").isalnum() or name[0].isdigit():
            raise Refused(422, f"{name} is no name of a variable")
        if name in self.variables[place]:
            raise Refused(409, "Already exists - Variable already exists")
        self.variables[place][name] = body["value"]
        return {}

    def patch_variable(self, place: str, name: str, body: Body) -> None:
        only(body, "name value")
        if name not in self.variables[place]:
            raise Refused(404, "Not Found")
        self.variables[place][name] = body["value"]

    # Workflows ------------------------------------------------------------------------------------------------

    def enable(self, number: int) -> None:
        for one in self.workflows.values():
            if one["id"] == number:
                one["state"] = "active"
                return
        raise Refused(404, "Not Found")

    # Rules ----------------------------------------------------------------------------------------------------

    def list_rulesets(self) -> list[Body]:
        short = ("id", "name", "target", "source_type", "source", "enforcement")
        return [{key: one[key] for key in short} for one in self.rulesets.values()]

    def get_ruleset(self, number: int) -> Body:
        if number not in self.rulesets:
            raise Refused(404, "Not Found")
        shown = {**self.rulesets[number], "current_user_can_bypass": self.bypass}
        if not self.writer:
            del shown["bypass_actors"]
        return shown

    def add_ruleset(self, body: Body) -> Body:
        self._check_ruleset(body)
        if any(one["name"] == body["name"] for one in self.rulesets.values()):
            raise Refused(422, "Validation Failed", ("Name must be unique",))
        number = self._next()
        self.rulesets[number] = {
            **body,
            "id": number,
            "source_type": "Repository",
            "source": f"{OWNER}/{NAME}",
        }
        return self.get_ruleset(number)

    def put_ruleset(self, number: int, body: Body) -> Body:
        held = self.rulesets.get(number)
        if held is None:
            raise Refused(404, "Not Found")
        self._check_ruleset(body)
        self.rulesets[number] = {**held, **body}
        return self.get_ruleset(number)

    def _check_ruleset(self, body: Body) -> None:
        only(body, "name target enforcement bypass_actors conditions rules")
        needs(body, "name", "enforcement")
        if body["enforcement"] not in ("disabled", "active", "evaluate") or body["target"] != "branch":
            raise Refused(422, "Invalid request")
        only(body["conditions"], "ref_name")
        only(body["conditions"]["ref_name"], "include exclude")
        if not all(one.startswith(("refs/heads/", "~")) for one in body["conditions"]["ref_name"]["include"]):
            raise Refused(422, "Invalid target patterns")
        kinds = [one["type"] for one in body["rules"]]
        if len(kinds) != len(set(kinds)):
            raise Refused(422, "Duplicate rules")
        for one in body["rules"]:
            only(one, "type parameters")
            told = one.get("parameters", {})
            match one["type"]:
                case "pull_request":
                    only(told, f"{PULL_REQUEST} allowed_merge_methods")
                    needs(told, *PULL_REQUEST.split())
                    if not 0 <= told["required_approving_review_count"] <= 10:
                        raise Refused(422, "required_approving_review_count must be 0 to 10")
                case "required_status_checks":
                    only(
                        told,
                        "required_status_checks strict_required_status_checks_policy do_not_enforce_on_create",
                    )
                    needs(told, "required_status_checks", "strict_required_status_checks_policy")
                    for check in told["required_status_checks"]:
                        only(check, "context integration_id")
                case "non_fast_forward" | "deletion" | "required_linear_history":
                    if told:
                        raise Refused(422, f"{one['type']} takes no parameters")
                case other:
                    raise Refused(422, f"{other} is no rule")

    def _next(self) -> int:
        self.last += 1
        return self.last


def only(body: Mapping[str, Any], known: str) -> None:
    """Refuse fields that there are not."""
    stray = sorted(set(body) - set(known.split()))
    if stray:
        raise Refused(422, f"Invalid request: {', '.join(stray)} is not permitted")


def needs(body: Mapping[str, Any], *names: str) -> None:
    lacking = [name for name in names if name not in body]
    if lacking:
        raise Refused(422, f"Invalid request: {', '.join(lacking)} wasn't supplied")
