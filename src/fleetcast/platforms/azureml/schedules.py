"""Schedules of Azure ML that run commands of fleetcast on the cluster; what fleetcast did not make is left alone."""

from __future__ import annotations

import io
from collections.abc import Collection, Sequence
from contextlib import redirect_stdout
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from fleetcast.domain.errors import BadInput
from fleetcast.domain.installed_azure import ClusterSchedule, SwitchedOff
from fleetcast.domain.place import EnvironmentName
from fleetcast.domain.settings import DATABASE_URL_VARIABLE, SIGNING_KEY_VARIABLE
from fleetcast.platforms.azureml.client import AzureClients, asked
from fleetcast.platforms.azureml.commands import ClusterCommands
from fleetcast.platforms.azureml.operations import held, seen_through, written

if TYPE_CHECKING:
    from azure.ai.ml import MLClient
    from azure.ai.ml.entities import JobSchedule, Schedule

_OURS = "fleetcast_schedule"
"""The tag that says which schedule of `fleetcast.yaml` it is."""
_TAGS = {
    "runs": "fleetcast_runs",
    "commit": "fleetcast_commit",
    "version": "fleetcast_version",
    "database": "fleetcast_database",
    "account": "fleetcast_account",
    "signing_key": "fleetcast_signing_key",
}
"""What a schedule was made with, by field: its job as Azure shows it names components by ids of Azure."""


_ALL: Any = "All"
"""Disabled ones too; the SDK has a type for it that it does not show."""


def schedule_name(name: str) -> str:
    """What it is called in the workspace."""
    return f"fleetcast-{name}"


@dataclass(frozen=True, slots=True)
class AzureSchedules:
    """Those of the workspace of dev, where the cluster is."""

    clients: AzureClients
    commands: ClusterCommands

    def found(self, names: Collection[str]) -> Sequence[ClusterSchedule]:
        """Those of some names that are there, switched off ones too, by one listing."""
        wanted = {schedule_name(name): name for name in names}
        client = self.clients.workspace()
        # The SDK prints a line for each kind of schedule that it does not know.
        with asked("schedules"), redirect_stdout(io.StringIO()):
            every = list(client.schedules.list(list_view_type=_ALL))
        return [self._read(one, wanted[str(one.name)]) for one in every if one.name in wanted]

    def read(self, name: str) -> ClusterSchedule | None:
        """One of them; None if it is not there."""
        client = self.clients.workspace()
        one = held(f"schedule {name}", lambda: client.schedules.get(schedule_name(name)))
        return None if one is None else self._read(one, name)

    def write(self, item: ClusterSchedule | SwitchedOff) -> None:
        """Make it as it should be.

        Raises:
            BadInput: Another one has that name, or it lacks something.
            FleetcastError: Azure refuses or fails; repeating it goes on from there.
        """
        there = self.read(item.name)
        if there is not None and not there.is_ours:
            raise BadInput(
                f"fleetcast did not make {item.ref}",
                fix="rename or delete it in Azure ML studio, then repeat the command",
            )
        client = self.clients.workspace()
        if isinstance(item, SwitchedOff):
            with asked(str(item.ref)):
                seen_through(lambda: client.schedules.begin_disable(schedule_name(item.name)))
            return
        self._put(client, item)

    def _put(self, client: MLClient, item: ClusterSchedule) -> None:
        from azure.ai.ml.entities import CronTrigger, JobSchedule

        variables = {
            DATABASE_URL_VARIABLE: item.database,
            "AZURE_STORAGE_ACCOUNT_NAME": item.account,
            SIGNING_KEY_VARIABLE: item.signing_key,
        }
        tags = {_OURS: item.name, **{tag: str(getattr(item, name)) for name, tag in _TAGS.items()}}
        with asked(str(item.ref)):
            described = JobSchedule(
                name=schedule_name(item.name),
                trigger=CronTrigger(expression=item.cron, time_zone=item.time_zone),
                create_job=self.commands.job(item.commit, item.runs, variables, {_OURS: item.name}),
                display_name=f"fleetcast {item.runs}",
                description="Made by fleetcast from schedules: in fleetcast.yaml.",
                tags=tags,
            )
            seen_through(lambda: client.schedules.begin_create_or_update(described))

    def _read(self, one: Schedule | JobSchedule, name: str) -> ClusterSchedule:
        tags, trigger = one.tags or {}, one.trigger
        made_with = {field: str(tags.get(tag, "")) for field, tag in _TAGS.items()}
        return ClusterSchedule(
            name=name,
            workspace=self.clients.settings.workspace(EnvironmentName.DEV),
            cron=" ".join(str(getattr(trigger, "expression", "") or "none").split()),
            time_zone=written(getattr(trigger, "time_zone", "") or ""),
            enabled=bool(one._is_enabled),  # noqa: SLF001  # it has no other name
            is_ours=tags.get(_OURS) == name,
            runs=made_with["runs"],
            commit=made_with["commit"],
            version=made_with["version"],
            database=made_with["database"],
            account=made_with["account"],
            signing_key=made_with["signing_key"],
        )
