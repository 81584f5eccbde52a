"""Which roles in Azure each command needs, and no more."""

from __future__ import annotations

from dataclasses import dataclass

_SCIENTIST = "AzureML Data Scientist"
_WRITES, _READS = "Storage Blob Data Contributor", "Storage Blob Data Reader"
_FILES = "the container of platform.storage"


@dataclass(frozen=True, slots=True)
class NeededRole:
    """A role that whoever runs a command must be given, and on what."""

    command: str
    role: str
    on: str

    def __str__(self) -> str:
        return f"{self.command}: {self.role} on {self.on}"


NEEDED_ROLES = (
    NeededRole("plan", _READS, _FILES),
    NeededRole("plan", "Reader", "the subscription, to show quota; without it, that is not known"),
    NeededRole("train", _SCIENTIST, "the workspace of dev"),
    NeededRole("train", "AzureML Registry User", "the shared registry"),
    NeededRole("train", _WRITES, f"{_FILES}, also for the identity of the cluster"),
    NeededRole("approve", "no role", "anything in Azure: a person on record decides in the control database"),
    NeededRole("deploy", _SCIENTIST, "the workspace deployed to"),
    NeededRole("deploy", _READS, _FILES),
    NeededRole(
        "score --on-platform", _SCIENTIST, "the workspace of dev, and the roles of `train` for the cluster"
    ),
    NeededRole("rollback", _SCIENTIST, "the workspace of the endpoint"),
    NeededRole("serve", _READS, f"{_FILES}, for the identity of the endpoint"),
    NeededRole(
        "serve", "AcrPull", "the container registry of the workspace, for the identity of the endpoint"
    ),
    NeededRole("doctor", "Reader", "each workspace and the shared registry"),
    NeededRole("doctor", _WRITES, f"{_FILES}: it writes a small file and removes it"),
    NeededRole("setup azure", _SCIENTIST, "each workspace, for datastores and schedules"),
    NeededRole("setup azure", "AzureML Compute Operator", "the workspace of dev, for the cluster"),
    NeededRole("setup azure", _WRITES, "the storage account, for the container"),
)
"""Besides, each but `approve` needs a login of the control database, with a token of Entra or a password."""
