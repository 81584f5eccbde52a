"""`azure_devops:` in `fleetcast.yaml`."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Annotated

from fleetcast.config.complaints import nearest, shown
from fleetcast.config.settings.settings_file import SettingsFile
from fleetcast.config.written import Identifier, Text, Whole, Written, judged
from fleetcast.domain.errors import BadInput
from fleetcast.domain.installed_devops import VARIABLE_GROUPS
from fleetcast.domain.place import Gate
from fleetcast.domain.settings.azure_devops import (
    DEFAULT_SECRETS,
    DEFAULT_URL,
    AzureDevOpsSettings,
    AzureIdentity,
    LinkedVault,
    checked_name,
    checked_reviewers,
    checked_url,
    checked_uuid,
)

Uuid = Annotated[Text, judged(checked_uuid)]


class AzureIdentityWritten(Written):
    """One entry of `azure_devops.connections:`."""

    tenant: Uuid
    subscription: Uuid
    subscription_name: Text
    client_id: Uuid


class LinkedVaultWritten(Written):
    """`azure_devops.key_vault:`."""

    name: Identifier
    connection: Identifier | None = None
    secrets: list[Identifier] | None = None


class AzureDevOpsWritten(Written):
    """`azure_devops:`."""

    organisation: Annotated[Text, judged(lambda name: checked_name("organisation", name))]
    project: Annotated[Text, judged(lambda name: checked_name("project", name))]
    repository: Annotated[Text, judged(lambda name: checked_name("repository", name))] | None = None
    url: Annotated[Text, judged(checked_url)] | None = None
    key_vault: LinkedVaultWritten
    connections: dict[str, AzureIdentityWritten] | None = None
    approvers: dict[str, list[Uuid]] | None = None
    variables: dict[str, dict[str, Text]] | None = None
    reviewers: Annotated[Whole, judged(checked_reviewers)] | None = None


def read_azure_devops(written: AzureDevOpsWritten | None, file: SettingsFile) -> AzureDevOpsSettings | None:
    """The project in Azure DevOps; None where nothing is written or could be read."""
    if written is None:
        return None
    vault = written.key_vault
    try:
        return AzureDevOpsSettings(
            organisation=written.organisation,
            project=written.project,
            repository=written.repository or written.project,
            vault=LinkedVault(
                vault.name,
                vault.connection or "mlops-dev",
                DEFAULT_SECRETS if vault.secrets is None else tuple(vault.secrets),
            ),
            url=written.url or DEFAULT_URL,
            connections=MappingProxyType(
                {
                    name: AzureIdentity(one.tenant, one.subscription, one.subscription_name, one.client_id)
                    for name, one in (written.connections or {}).items()
                }
            ),
            approvers=_approvers(written.approvers or {}, file),
            variables=_variables(written.variables or {}, vault.secrets or DEFAULT_SECRETS, file),
            reviewers=written.reviewers or 1,
        )
    except BadInput as error:
        file.refuse(error, "azure_devops")
        return None


def _approvers(written: Mapping[str, list[str]], file: SettingsFile) -> Mapping[Gate, tuple[str, ...]]:
    known = [gate.value for gate in Gate]
    for name in written:
        if name not in known:
            file.complaint(
                f"unknown gate {shown(name)}", nearest(name, known), "azure_devops", "approvers", name
            )
    return MappingProxyType(
        {
            Gate(name): tuple(sorted({checked_uuid(one) for one in ids}))
            for name, ids in written.items()
            if name in known
        }
    )


def _variables(
    written: Mapping[str, Mapping[str, str]], secrets: list[str] | tuple[str, ...], file: SettingsFile
) -> Mapping[str, Mapping[str, str]]:
    for group, values in written.items():
        if group not in VARIABLE_GROUPS[:-1]:
            file.complaint(
                f"no variable group {shown(group)} that holds values",
                nearest(group, VARIABLE_GROUPS[:-1]),
                "azure_devops",
                "variables",
                group,
            )
        for name in values:
            if name in secrets:
                file.complaint(
                    f"{shown(name)} is a secret, and none is written in a file",
                    "put it into the Key Vault",
                    "azure_devops",
                    "variables",
                    group,
                )
    return MappingProxyType({group: MappingProxyType(dict(values)) for group, values in written.items()})
