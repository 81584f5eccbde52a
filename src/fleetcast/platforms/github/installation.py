"""The installation around a fleet, as one repository of GitHub holds it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from urllib.parse import quote

from fleetcast.domain.canonical import Json
from fleetcast.domain.installation import Item
from fleetcast.domain.installed import Kind, Ref
from fleetcast.domain.installed_github import (
    BranchRules,
    DeploymentEnvironment,
    GitHubVariables,
    SecretName,
    WorkflowFile,
)
from fleetcast.platforms.github import documents as written
from fleetcast.platforms.github.repository import GitHubRepository, document
from fleetcast.platforms.http.documents import Document, inside, number, text

_ENVIRONMENTS, _VARIABLES, _SECRETS = "environments", "actions/variables", "actions/secrets"
_ORGANISATION_SECRETS, _WORKFLOWS, _RULES = "actions/organization-secrets", "actions/workflows", "rulesets"
_POLICIES = "deployment-branch-policies"
_ORGANISATION = "Organization"
_GONE = "deleted"


class GitHubInstallation:
    """Reads what kinds of things are wanted in bulk, and remembers them as they were."""

    def __init__(self, repository: GitHubRepository) -> None:
        self._repository = repository
        self._held: dict[Ref, Document] = {}

    def found(self, wanted: Iterable[Item]) -> Sequence[Item]:
        """What is there of the kinds that are wanted; environments and rules of others by their names alone."""
        wanted = tuple(wanted)
        kinds = {one.ref.kind for one in wanted}
        refs = {one.ref for one in wanted}
        self._held.clear()
        place = self._repository.get()
        return [
            *(self._read_environments(refs) if Kind.DEPLOYMENT in kinds else ()),
            *self._read_variables([one for one in wanted if isinstance(one, GitHubVariables)]),
            *(self._read_secrets(place, refs) if Kind.SECRET in kinds else ()),
            *(self._read_workflows() if Kind.WORKFLOW in kinds else ()),
            *(self._read_rules(refs) if Kind.RULES in kinds else ()),
        ]

    def create(self, item: Item) -> None:
        """Make what is not there."""
        match item:
            case DeploymentEnvironment():
                self._bring_environment(item, {})
            case GitHubVariables():
                self._bring_variables(item, {})
            case BranchRules():
                self._held[item.ref] = document(self._repository.post(_RULES, written.rules_for(item, {})))

    def change(self, item: Item) -> None:
        """Give what is there the fields of `item`."""
        held = self._held[item.ref]
        match item:
            case DeploymentEnvironment():
                self._bring_environment(item, held)
            case GitHubVariables():
                self._bring_variables(item, held)
            case WorkflowFile():
                self._repository.put(f"{_WORKFLOWS}/{number(held, 'id')}/enable")
            case BranchRules():
                body = written.rules_for(item, held)
                self._held[item.ref] = document(self._repository.put(f"{_RULES}/{number(held, 'id')}", body))

    def _read_environments(self, wanted: set[Ref]) -> Iterator[Item]:
        for found in self._repository.listed(_ENVIRONMENTS, "environments"):
            name = text(found, "name")
            if Ref(Kind.DEPLOYMENT, name) in wanted:
                policies = self._policies(name) if written.has_own_branches(found) else ()
                yield self._hold(written.environment_in(found, self._owner, policies), found)
            else:
                yield DeploymentEnvironment(name)

    def _read_variables(self, wanted: Sequence[GitHubVariables]) -> Iterator[Item]:
        """Those of a place are one thing, which is there as soon as there is one."""
        for one in wanted:
            if one.environment and Ref(Kind.DEPLOYMENT, one.environment) not in self._held:
                continue
            listed = self._repository.listed(self._variables_at(one), "variables")
            values = {text(each, "name"): text(each, "value") for each in listed}
            if values:
                yield self._hold(GitHubVariables(one.environment, values), dict(values))

    def _read_secrets(self, place: Document, wanted: set[Ref]) -> Iterator[Item]:
        """Their names: those of the repository, and the wanted ones that its organisation lends it."""
        own = [text(one, "name") for one in self._repository.listed(_SECRETS, "secrets")]
        yield from map(SecretName, own)
        if text(inside(place, "owner"), "type") != _ORGANISATION:
            return
        for found in self._repository.listed(_ORGANISATION_SECRETS, "secrets"):
            lent = SecretName(text(found, "name"))
            if lent.ref in wanted and lent.name not in own:
                yield lent

    def _read_workflows(self) -> Iterator[Item]:
        for found in self._repository.listed(_WORKFLOWS, "workflows"):
            if text(found, "state") != _GONE:
                yield self._hold(written.workflow_in(found), found)

    def _read_rules(self, wanted: set[Ref]) -> Iterator[Item]:
        for found in self._repository.listed(_RULES, includes_parents="false"):
            if Ref(Kind.RULES, text(found, "name")) in wanted:
                whole = self._repository.get(f"{_RULES}/{number(found, 'id')}")
                yield self._hold(written.rules_in(whole), whole)
            else:
                yield written.rules_in(found)

    def _bring_environment(self, item: DeploymentEnvironment, held: Document) -> None:
        reviewers = [self._reviewer(name) for name in sorted(item.reviewers)]
        path = self._environment(item.name)
        made = self._repository.put(path, written.environment_for(item, held, reviewers))
        self._held[item.ref] = document(made)
        if not item.branches:
            return
        there = {written.branch_of(one): one for one in self._policies(item.name)}
        for branch in sorted(item.branches - set(there)):
            self._repository.post(f"{path}/{_POLICIES}", {"name": branch, "type": "branch"})
        for branch in sorted(set(there) - item.branches):
            self._repository.delete(f"{path}/{_POLICIES}/{number(there[branch], 'id')}")

    def _bring_variables(self, item: GitHubVariables, held: Document) -> None:
        path, done = self._variables_at(item), dict(held)
        for name, value in item.fields.items():
            body: Json = {"name": name, "value": value}
            if name not in held:
                self._repository.post(path, body)
            elif held[name] != value:
                self._repository.patch(f"{path}/{quote(name, safe='')}", body)
            done[name] = value
        self._held[item.ref] = done

    def _policies(self, environment: str) -> Sequence[Document]:
        path = f"{self._environment(environment)}/{_POLICIES}"
        return list(self._repository.listed(path, "branch_policies"))

    def _reviewer(self, name: str) -> Json:
        """Somebody as GitHub takes them: by number."""
        owner, _, team = name.partition("/")
        if team:
            found = self._repository.get_above(f"/orgs/{quote(owner, safe='')}/teams/{quote(team, safe='')}")
            return {"type": written.TEAM, "id": number(found, "id")}
        found = self._repository.get_above(f"/users/{quote(owner, safe='')}")
        return {"type": written.USER, "id": number(found, "id")}

    def _variables_at(self, item: GitHubVariables) -> str:
        return f"{self._environment(item.environment)}/variables" if item.environment else _VARIABLES

    def _environment(self, name: str) -> str:
        return f"{_ENVIRONMENTS}/{quote(name, safe='')}"

    @property
    def _owner(self) -> str:
        return self._repository.name.partition("/")[0]

    def _hold(self, item: Item, found: Document) -> Item:
        """Remember the first thing of a name; gives it back."""
        self._held.setdefault(item.ref, found)
        return item
