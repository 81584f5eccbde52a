"""Looking whether everything around a fleet stands as it should."""

from __future__ import annotations

import os
from collections.abc import Collection, Mapping
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from fleetcast.domain.location import Location, file_uri
from fleetcast.domain.settings import DATABASE_URL_VARIABLE, PlatformKind
from fleetcast.ports.clock import Clock, SystemClock

if TYPE_CHECKING:
    from collections.abc import Callable

    from fleetcast.app.books import OpenBooks
    from fleetcast.domain.diagnosis_github import GuardsSeen
    from fleetcast.domain.installation import InstallationPlan
    from fleetcast.domain.settings import Settings
    from fleetcast.ports.diagnosis import Cloud, Ways
    from fleetcast.workflows.diagnose_installation import DiagnoseInstallation


def open_diagnosis(directory: Path, clock: Clock | None = None) -> DiagnoseInstallation:
    """Open a diagnosis of a fleet; nothing is read yet, for whatever cannot be is part of it."""
    from fleetcast.config.settings_reader import read_settings_file
    from fleetcast.workflows.diagnose_installation import DiagnoseInstallation

    clock = clock or SystemClock()
    return DiagnoseInstallation(
        lambda: read_settings_file(directory).settings, lambda settings: _ways(directory, settings, clock)
    )


def _ways(directory: Path, settings: Settings, clock: Clock) -> Ways:
    from fleetcast.app.database import look_at_database
    from fleetcast.app.setting_up import ACCOUNT_VARIABLE, given_to_commands
    from fleetcast.domain.installed_azure import SwitchedOff
    from fleetcast.domain.wanted_azure import wanted_in_azure
    from fleetcast.platforms.objects.probe import tried
    from fleetcast.ports.diagnosis import Ways

    @cache
    def books() -> OpenBooks:
        from fleetcast.app.books import open_books

        return open_books(directory, clock)

    def listed() -> Mapping[str, Collection[int]]:
        entries = books().workspace().models.entries()
        return {name: frozenset(one.version for one in versions) for name, versions in entries.items()}

    def plants() -> int:
        from fleetcast.config.reader import load_fleet

        return len({circuit.key.plant for circuit in load_fleet(directory, now=clock.now()).circuits})

    files = settings.platform.storage or Location(file_uri(directory.resolve() / settings.platform.state))
    return Ways(
        control=lambda: books().control,
        database=lambda: look_at_database(directory).address,
        on_server=bool(os.environ.get(DATABASE_URL_VARIABLE)),
        files=lambda: tried(files),
        plants=plants,
        devops=_devops(directory, settings, clock),
        github=_github(directory, settings, clock),
        cloud=_cloud(directory, settings),
        wanted=lambda: [
            item
            for item in wanted_in_azure(
                settings,
                os.environ.get(ACCOUNT_VARIABLE, ""),
                given_to_commands(directory, settings, os.environ),
            )
            if not isinstance(item, SwitchedOff)
        ],
        listed=listed,
    )


def _cloud(directory: Path, settings: Settings) -> Cloud | None:
    if settings.platform.kind is not PlatformKind.AZUREML:
        return None
    from fleetcast.platforms.azureml.client import AzureClients
    from fleetcast.platforms.azureml.diagnosis import AzureCloud

    return AzureCloud(AzureClients(settings.azure, settings.registry), directory)


def _devops(directory: Path, settings: Settings, clock: Clock) -> Callable[[], InstallationPlan] | None:
    if settings.azure_devops is None:
        return None

    def plan() -> InstallationPlan:
        from fleetcast.app.setting_up import azure_devops_installation
        from fleetcast.domain.installation import plan_installation

        installation, wanted = azure_devops_installation(directory, settings, clock)
        return plan_installation(wanted, installation.found(wanted))

    return plan


def _github(directory: Path, settings: Settings, clock: Clock) -> Callable[[], GuardsSeen] | None:
    """Only what guards is asked for: a token that runs are given may see no more."""
    if settings.github is None:
        return None

    def seen() -> GuardsSeen:
        from fleetcast.app.setting_up import github_installation
        from fleetcast.config.workflow_uses import workflow_uses
        from fleetcast.domain.diagnosis_github import GuardsSeen
        from fleetcast.domain.installation import plan_installation
        from fleetcast.domain.installed_github import BranchRules
        from fleetcast.domain.wanted_github import guards_in_github

        wanted = guards_in_github(settings, workflow_uses(directory))
        found = github_installation(settings, clock).found(wanted)
        refs = {one.ref for one in wanted}
        rules = tuple(one for one in found if isinstance(one, BranchRules) and one.ref in refs)
        return GuardsSeen(plan_installation(wanted, found), rules)

    return seen
