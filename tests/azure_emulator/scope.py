"""Where a resource belongs: a workspace or a registry; and where what it points to lies."""

from __future__ import annotations

import re
import uuid
from collections.abc import Mapping
from dataclasses import dataclass

from tests.azure_emulator.blob_store import Place
from tests.azure_emulator.messages import Refused, text
from tests.azure_emulator.setup import Setup
from tests.azure_emulator.store import Record, Store

ARM = r"management\.azure\.com"
DATA_PLANE = r"[a-z0-9]+\.api\.azureml\.ms|cert-[a-z0-9]+\.experiments\.azureml\.net"
_GROUP = (
    r"/subscriptions/(?P<subscription>[^/]+)/resourceGroups/(?P<group>[^/]+)"
    r"/providers/Microsoft\.MachineLearningServices"
)
WORKSPACE = rf"{_GROUP}/workspaces/(?P<workspace>[^/]+)"
REGISTRY = rf"/mferp/managementfrontend{_GROUP}/registries/(?P<registry>[^/]+)"
_PROVIDER = "Microsoft.MachineLearningServices"


@dataclass(frozen=True, slots=True)
class Scope:
    """A workspace or a registry."""

    base: str
    """Its id."""
    registry: str | None = None

    def key(self, *parts: str) -> str:
        """The id under which something of it is kept."""
        return "/".join((self.base, *parts))

    def shown(self, *parts: str) -> str:
        """The id that is shown: registries have a way of their own."""
        if self.registry is None:
            return self.key(*parts)
        return "/".join((f"azureml://registries/{self.registry}", *parts))

    def kind(self, *parts: str) -> str:
        """The type of a resource."""
        return "/".join((_PROVIDER, "workspaces" if self.registry is None else "registries", *parts))


class Scopes:
    """The workspaces and registries that there are."""

    def __init__(self, setup: Setup, store: Store) -> None:
        self._setup = setup
        self._store = store
        self._group = (
            f"/subscriptions/{setup.subscription}/resourceGroups/{setup.resource_group}/providers/{_PROVIDER}"
        )

    def workspace(self, name: str) -> Scope:
        """A workspace.

        Raises:
            Refused: There is none of that name.
        """
        known = {one.lower(): one for one in self._setup.workspaces}
        if name.lower() not in known:
            raise Refused(404, "ResourceNotFound", f"The workspace '{name}' was not found.")
        return Scope(f"{self._group}/workspaces/{known[name.lower()]}")

    def registry(self, name: str) -> Scope:
        """A registry.

        Raises:
            Refused: There is none of that name.
        """
        known = {one.lower(): one for one in self._setup.registries}
        if name.lower() not in known:
            raise Refused(404, "RegistryNotFound", f"The registry '{name}' was not found.")
        return Scope(f"{self._group}/registries/{known[name.lower()]}", known[name.lower()])

    def of(self, found: Mapping[str, str]) -> Scope:
        """What a path names.

        Raises:
            Refused: There is no such workspace, registry, group or subscription.
        """
        if found["subscription"].lower() != self._setup.subscription.lower():
            raise Refused(
                404, "SubscriptionNotFound", f"The subscription '{found['subscription']}' was not found."
            )
        if found["group"].lower() != self._setup.resource_group.lower():
            raise Refused(404, "ResourceGroupNotFound", f"Resource group '{found['group']}' was not found.")
        return (
            self.workspace(found["workspace"]) if "workspace" in found else self.registry(found["registry"])
        )

    def resolve(self, reference: str) -> Record:
        """What an id points to, however it is written.

        Raises:
            Refused: There is no such thing.
        """
        plain = reference.removeprefix("azureml:")
        shared = re.fullmatch(r"//registries/([^/]+)/(.+)", plain, re.IGNORECASE)
        located = re.fullmatch(r"//locations/[^/]+/workspaces/([^/]+)/(.+)", plain, re.IGNORECASE)
        if shared is not None:
            plain = self.registry(shared[1]).key(shared[2])
        elif located is not None:
            names = {workspace_guid(name): name for name in self._setup.workspaces}
            plain = self.workspace(names.get(located[1].lower(), located[1])).key(located[2])
        found = self._store.find(plain)
        if found is None:
            raise Refused(400, "UserError", f"There is no {reference}.")
        return found

    def locate(self, scope: Scope, uri: str) -> Place:
        """Where the blobs of a URI lie.

        Raises:
            Refused: It is no such URI, or its datastore is not known.
        """
        blob = re.fullmatch(r"(?:https|wasbs)://([a-z0-9]+)\.blob\.core\.windows\.net/([^/]+)/?(.*)", uri)
        if blob is not None:
            return Place(blob[1], blob[2], blob[3])
        there = re.fullmatch(
            r"azureml://(?:subscriptions/[^/]+/resourcegroups/[^/]+/(?:providers/[^/]+/)?workspaces/([^/]+)/)?"
            r"datastores/([^/]+)/paths/(.*)",
            uri,
            re.IGNORECASE,
        )
        if there is None:
            raise Refused(400, "UserError", f"The emulator cannot read from {uri}.")
        base = self.workspace(there[1]) if there[1] else scope
        said = self._store.find(base.key("datastores", there[2]))
        properties = said.body["properties"] if said is not None else None
        if not isinstance(properties, dict):
            raise Refused(400, "UserError", f"There is no datastore {there[2]}.")
        return Place(text(properties, "accountName"), text(properties, "containerName"), there[3])


def workspace_guid(name: str) -> str:
    """The number by which a workspace goes beside its name."""
    return str(uuid.uuid5(uuid.NAMESPACE_URL, f"workspace/{name.lower()}"))


def storage_account(name: str) -> str:
    """The account that comes with a workspace or a registry."""
    return re.sub(r"[^a-z0-9]", "", name.lower())[:15] + "storage"
