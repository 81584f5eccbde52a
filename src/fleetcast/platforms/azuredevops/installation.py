"""The installation around a fleet, as one project of Azure DevOps holds it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from urllib.parse import quote

from fleetcast.domain.canonical import Json
from fleetcast.domain.errors import Unavailable
from fleetcast.domain.installation import Item
from fleetcast.domain.installed import Kind, Ref
from fleetcast.domain.installed_devops import (
    ApprovalCheck,
    BranchPolicy,
    Environment,
    Pipeline,
    ServiceConnection,
    UsePermission,
    VariableGroup,
)
from fleetcast.platforms.azuredevops import documents as written
from fleetcast.platforms.azuredevops.project import PREVIEW, DevOpsProject, document, listed
from fleetcast.platforms.http.documents import Document, inside, text

_RESOURCES: Mapping[Kind, str] = {
    Kind.CONNECTION: "endpoint",
    Kind.GROUP: "variablegroup",
    Kind.ENVIRONMENT: "environment",
}
"""What permissions and checks call them."""
_ENDPOINTS = "serviceendpoint/endpoints"
_GROUPS = "distributedtask/variablegroups"
_ENVIRONMENTS = "distributedtask/environments"
_CHECKS = "pipelines/checks/configurations"
_DEFINITIONS = "build/definitions"
_PERMISSIONS = "pipelines/pipelinepermissions"
_POLICIES = "policy/configurations"


class AzureDevOpsInstallation:
    """Reads a project in bulk, and remembers what has which id."""

    def __init__(self, project: DevOpsProject, repository: str) -> None:
        self._project, self._repository = project, repository
        self._held: dict[Ref, Document] = {}
        self._place: written.Place | None = None

    def found(self, wanted: Iterable[Item]) -> Sequence[Item]:
        """What is there; of pipelines and permissions only those that are wanted in full."""
        wanted = tuple(wanted)
        self._held.clear()
        self._place = self._read_place()
        return [
            *self._read_connections(),
            *self._read_groups(),
            *self._read_environments(),
            *self._read_checks([one for one in wanted if isinstance(one, ApprovalCheck)]),
            *self._read_pipelines({one.name for one in wanted if isinstance(one, Pipeline)}),
            *self._read_permissions([one for one in wanted if isinstance(one, UsePermission)]),
            *self._read_policies(),
        ]

    def create(self, item: Item) -> None:
        """Make what is not there."""
        project, place = self._project, self._known_place()
        made: Json
        match item:
            case ServiceConnection():
                made = project.post_above(_ENDPOINTS, written.connection_for(item, place, None))
            case VariableGroup():
                made = project.post_above(_GROUPS, written.group_for(item, place, None, self._connections()))
            case Environment():
                made = project.post(_ENVIRONMENTS, written.environment_for(item))
            case ApprovalCheck():
                made = project.post(
                    _CHECKS, written.check_for(item, self._environment(item.environment), None), PREVIEW
                )
            case Pipeline():
                made = project.post(_DEFINITIONS, written.pipeline_for(item, place, None))
            case UsePermission():
                made = self._permit(item)
            case BranchPolicy():
                made = project.post(_POLICIES, written.policy_for(item, place, None, self._pipelines()))
        self._held[item.ref] = document(made)

    def change(self, item: Item) -> None:
        """Give what is there the fields of `item`."""
        project, place, held = self._project, self._known_place(), self._held[item.ref]
        number = quote(text(held, "id"), safe="")
        made: Json
        match item:
            case ServiceConnection():
                scheme = text(inside(held, "authorization"), "scheme")
                convert = {} if scheme == item.scheme else {"operation": "ConvertAuthenticationScheme"}
                made = project.put_above(
                    f"{_ENDPOINTS}/{number}", written.connection_for(item, place, held), **convert
                )
            case VariableGroup():
                body = written.group_for(item, place, held, self._connections())
                made = project.put_above(f"{_GROUPS}/{number}", body)
            case Environment():
                made = held
            case ApprovalCheck():
                body = written.check_for(item, self._environment(item.environment), held)
                made = project.patch(f"{_CHECKS}/{number}", body, PREVIEW)
            case Pipeline():
                made = project.put(f"{_DEFINITIONS}/{number}", written.pipeline_for(item, place, held))
            case UsePermission():
                made = self._permit(item)
            case BranchPolicy():
                body = written.policy_for(item, place, held, self._pipelines())
                made = project.put(f"{_POLICIES}/{number}", body)
        self._held[item.ref] = document(made)

    def _read_place(self) -> written.Place:
        found = self._project.get(f"git/repositories/{quote(self._repository, safe='')}")
        project = inside(found, "project")
        place = written.Place(
            text(project, "id"), text(project, "name"), text(found, "id"), text(found, "name")
        )
        if not place.project_id or not place.repository_id:
            raise Unavailable(
                f"Azure DevOps does not say what repository {self._repository} is",
                fix="check `azure_devops.url`",
            )
        return place

    def _read_connections(self) -> Iterator[Item]:
        for found in self._project.listed(_ENDPOINTS, includeFailed="true"):
            yield self._hold(written.connection_in(found), found)

    def _read_groups(self) -> Iterator[Item]:
        names = {number: name for name, number in self._connections().items()}
        for found in self._project.listed(_GROUPS, queryOrder="idAscending"):
            yield self._hold(written.group_in(found, names), found)

    def _read_environments(self) -> Iterator[Item]:
        for found in self._project.listed(_ENVIRONMENTS):
            yield self._hold(written.environment_in(found), found)

    def _read_checks(self, wanted: Sequence[ApprovalCheck]) -> Iterator[Item]:
        """Of the wanted environments; all at once."""
        guarded = [
            {"type": _RESOURCES[Kind.ENVIRONMENT], "id": text(self._held[ref], "id"), "name": ref.name}
            for one in wanted
            if (ref := Ref(Kind.ENVIRONMENT, one.environment)) in self._held
        ]
        if not guarded:
            return
        names = {one["id"]: one["name"] for one in guarded}
        answer = self._project.post(
            "pipelines/checks/queryconfigurations", guarded, PREVIEW, **{"$expand": "settings"}
        )
        for found in sorted(listed(answer), key=lambda one: int(text(one, "id") or 0)):
            resource = text(inside(found, "resource"), "id")
            if text(inside(found, "type"), "id").lower() == written.APPROVAL and resource in names:
                named = {**found, "resource": {**inside(found, "resource"), "name": names[resource]}}
                yield self._hold(written.check_in(named), found)

    def _read_pipelines(self, wanted: set[str]) -> Iterator[Item]:
        for found in self._project.listed(_DEFINITIONS, queryOrder="definitionNameAscending"):
            name, folder = text(found, "name"), text(found, "path")
            if folder == written.FOLDER and name in wanted:
                whole = self._project.get(f"{_DEFINITIONS}/{quote(text(found, 'id'), safe='')}")
                yield self._hold(written.pipeline_in(whole), whole)
            else:
                yield Pipeline(f"{folder.rstrip(chr(92))}\\{name}", "", "", "")

    def _read_permissions(self, wanted: Sequence[UsePermission]) -> Iterator[Item]:
        names = {str(number): name for name, number in self._pipelines().items()}
        for one in wanted:
            if one.resource not in self._held:
                continue
            kind, number = self._resource(one)
            found = self._project.get(f"{_PERMISSIONS}/{kind}/{quote(number, safe='')}", PREVIEW)
            read = written.permission_in(found, one, names)
            if read is not None:
                yield self._hold(read, found)

    def _read_policies(self) -> Iterator[Item]:
        place = self._known_place()
        names = {str(number): name for name, number in self._pipelines().items()}
        for found in self._project.listed(_POLICIES):
            read = written.policy_in(found, place, names)
            if read is not None:
                yield self._hold(read, found)

    def _hold(self, item: Item, found: Document) -> Item:
        """Remember the first thing of a name; gives it back."""
        self._held.setdefault(item.ref, found)
        return item

    def _permit(self, item: UsePermission) -> Json:
        kind, number = self._resource(item)
        body = written.permission_for(item, kind, number, self._pipelines())
        return self._project.patch(f"{_PERMISSIONS}/{kind}/{quote(number, safe='')}", body, PREVIEW)

    def _resource(self, item: UsePermission) -> tuple[str, str]:
        return _RESOURCES[item.resource.kind], text(self._held[item.resource], "id")

    def _known_place(self) -> written.Place:
        if self._place is None:
            self._place = self._read_place()
        return self._place

    def _environment(self, name: str) -> str:
        return text(self._held[Ref(Kind.ENVIRONMENT, name)], "id")

    def _connections(self) -> Mapping[str, str]:
        """Ids by names."""
        return {ref.name: text(one, "id") for ref, one in self._held.items() if ref.kind is Kind.CONNECTION}

    def _pipelines(self) -> Mapping[str, int]:
        """Ids of ours by names."""
        return {
            ref.name: int(text(one, "id")) for ref, one in self._held.items() if ref.kind is Kind.PIPELINE
        }
