"""What a fleet needs in Azure, from its settings."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import urlsplit

from fleetcast.domain.errors import BadInput
from fleetcast.domain.installed_azure import (
    AzureItem,
    AzureRegistry,
    AzureWorkspace,
    BlobContainer,
    BlobDatastore,
    ClusterSchedule,
    ComputeCluster,
    Lacking,
    SwitchedOff,
)
from fleetcast.domain.place import EnvironmentName
from fleetcast.domain.schedule import Duty, command_of, duties
from fleetcast.domain.settings import (
    DATABASE_URL_VARIABLE,
    SIGNING_KEY_VARIABLE,
    PlatformKind,
    Settings,
)
from fleetcast.domain.settings.schedules import PER_ENVIRONMENT, Routine
from fleetcast.domain.signing_key import VAULT

_SCHEMES = ("az", "abfss")


@dataclass(frozen=True, slots=True)
class Given:
    """What a command that runs on the cluster is given, besides the settings."""

    commit: str
    """Of the fleet, with more behind it where no commit holds all of it; empty: there is none."""
    version: str
    """Of fleetcast."""
    database: str
    """The address of the control database; empty: it is a file."""
    signing_key: str
    """As the environment has it."""

    @property
    def lacks(self) -> Lacking | None:
        """Why the cluster could not run it; None: it can."""
        if not self.commit.isalnum() or self.commit == "uncommitted":
            return Lacking(
                "what the cluster runs comes from a commit, and none holds the fleet as it is",
                "commit the fleet repository, then run this again",
            )
        if not self.database or has_password(self.database):
            return Lacking(
                "the cluster needs the control database, by its own identity",
                f"set {DATABASE_URL_VARIABLE}=postgresql://…?auth=entra, without a password",
            )
        if not self.signing_key.startswith(VAULT):
            return Lacking(
                "the cluster signs what it records, and a job shows its variables to whoever looks at it",
                f"put the key into a Key Vault and set {SIGNING_KEY_VARIABLE}={VAULT}VAULT/SECRET",
            )
        return None


NOTHING_GIVEN = Given("", "", "", "")


def has_password(address: str) -> bool:
    """Whether the address of a database holds one."""
    return bool(urlsplit(address).password) or "password=" in address


def wanted_in_azure(settings: Settings, account: str, given: Given = NOTHING_GIVEN) -> tuple[AzureItem, ...]:
    """Everything that a fleet is trained and served with.

    Args:
        settings: Of the fleet.
        account: The storage account where `platform.storage` does not name it; empty: nobody says.
        given: What schedules are run with.

    Raises:
        BadInput: The fleet is not one of Azure, or nothing says where its files are.
    """
    azure, storage = settings.azure, settings.platform.storage
    if settings.platform.kind is not PlatformKind.AZUREML:
        raise BadInput(
            "the fleet is not trained in Azure",
            fix="write `platform: {kind: azureml, storage: az://CONTAINER/FOLDER}` and `azure:` in fleetcast.yaml",
        )
    if storage is None or storage.scheme not in _SCHEMES:
        raise BadInput(
            f"Azure ML does not read {storage}",
            fix="write az://CONTAINER/FOLDER or abfss://… as platform.storage",
        )
    account = storage.account or account
    if not account:
        raise BadInput(
            f"nothing says in which storage account the container {storage.bucket} is",
            fix="set AZURE_STORAGE_ACCOUNT_NAME, or name the account in platform.storage (abfss://…)",
        )
    where = (azure.subscription_id, azure.resource_group)
    # Two environments may share a workspace.
    workspaces = list(dict.fromkeys(azure.workspace(name) for name in EnvironmentName))
    cluster = azure.cluster
    return (
        *(AzureWorkspace(name, *where) for name in workspaces),
        AzureRegistry(settings.registry, *where),
        BlobContainer(account, storage.bucket),
        *(BlobDatastore(azure.datastore, name, account, storage.bucket) for name in workspaces),
        ComputeCluster(
            azure.compute,
            azure.workspace(EnvironmentName.DEV),
            cluster.size,
            cluster.min_nodes,
            cluster.max_nodes,
            cluster.idle,
        ),
        *_schedules(settings, account, given),
    )


def _schedules(settings: Settings, account: str, given: Given) -> Iterator[ClusterSchedule | SwitchedOff]:
    """Each that may be declared: as it is, or switched off where it is not."""
    workspace = settings.azure.workspace(EnvironmentName.DEV)
    declared = {_name(duty): duty for duty in duties(settings.schedules)}
    for duty in _possible():
        name = _name(duty)
        wanted = declared.get(name)
        if wanted is None:
            yield SwitchedOff(name, workspace)
            continue
        yield ClusterSchedule(
            name,
            workspace,
            " ".join(wanted.cron.split()),
            " ".join(command_of(wanted)),
            given.commit,
            given.version,
            "" if has_password(given.database) else given.database,
            account,
            given.signing_key if given.signing_key.startswith(VAULT) else "",
            lacks=given.lacks,
        )


def _possible() -> Iterator[Duty]:
    """Everything that a schedule may start, in every environment where it may."""
    for routine in Routine:
        if routine not in PER_ENVIRONMENT:
            yield Duty(routine, None, "")
            continue
        for environment in (EnvironmentName.TEST, EnvironmentName.PROD):
            yield Duty(routine, environment, "")


def _name(duty: Duty) -> str:
    return duty.name.replace(" ", "-")
