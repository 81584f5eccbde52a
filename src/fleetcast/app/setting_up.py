"""Bringing Azure DevOps, GitHub and Azure to what a fleet repository declares."""

from __future__ import annotations

import os
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from fleetcast.domain.errors import BadInput
from fleetcast.domain.settings import DATABASE_URL_VARIABLE, SIGNING_KEY_VARIABLE
from fleetcast.ports.clock import Clock, SystemClock

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from fleetcast.domain.installation import Item
    from fleetcast.domain.settings import Settings
    from fleetcast.domain.wanted_azure import Given
    from fleetcast.ports.installation import Installation
    from fleetcast.workflows.set_up import SetUp

ACCOUNT_VARIABLE = "AZURE_STORAGE_ACCOUNT_NAME"
"""Where the storage account is named that `az://` leaves open."""


def open_azure_devops_set_up(directory: Path, clock: Clock | None = None) -> SetUp:
    """Open the installation of a fleet in Azure DevOps.

    Args:
        directory: The fleet repository.
        clock: Tells the time.

    Raises:
        InvalidFleet: `fleetcast.yaml` or a pipeline has mistakes.
        BadInput: The settings lack something, or the environment holds no token.
        Unavailable: The database does not answer.
    """
    from fleetcast.app.books import open_books
    from fleetcast.config.settings_reader import read_settings_file
    from fleetcast.workflows.set_up import SetUp

    settings, clock = read_settings_file(directory).settings, clock or SystemClock()
    installation, wanted = azure_devops_installation(directory, settings, clock)
    books = open_books(directory, clock)
    return SetUp(books.control, installation, wanted)


def azure_devops_installation(
    directory: Path, settings: Settings, clock: Clock
) -> tuple[Installation, Sequence[Item]]:
    """The installation of a fleet in Azure DevOps, and what it should hold; nothing is asked yet.

    Raises:
        InvalidFleet: A pipeline has mistakes.
        BadInput: The settings lack something, or the environment holds no token.
    """
    from fleetcast.config.pipeline_uses import pipeline_uses
    from fleetcast.domain.wanted_installation import wanted_installation

    wanted = wanted_installation(settings, pipeline_uses(directory))
    devops = settings.azure_devops
    assert devops is not None  # noqa: S101  # nothing would be wanted
    if find_spec("httpx") is None:
        raise BadInput(
            "Azure DevOps needs httpx, which is not installed", fix="pip install 'fleetcast[azure]'"
        )
    from fleetcast.platforms.azuredevops.installation import AzureDevOpsInstallation
    from fleetcast.platforms.azuredevops.project import open_project

    return AzureDevOpsInstallation(open_project(devops, os.environ, clock), devops.repository), wanted


def open_github_set_up(directory: Path, clock: Clock | None = None) -> SetUp:
    """Open the installation of a fleet in GitHub.

    Args:
        directory: The fleet repository.
        clock: Tells the time.

    Raises:
        InvalidFleet: `fleetcast.yaml` or a workflow has mistakes.
        BadInput: The settings lack something, or the environment holds no token.
        Unavailable: The database does not answer.
    """
    from fleetcast.app.books import open_books
    from fleetcast.config.settings_reader import read_settings_file
    from fleetcast.config.workflow_uses import workflow_uses
    from fleetcast.domain.wanted_github import trusts_of_github, wanted_in_github
    from fleetcast.workflows.set_up import SetUp

    settings, clock = read_settings_file(directory).settings, clock or SystemClock()
    files = workflow_uses(directory)
    wanted, trusts = wanted_in_github(settings, files), trusts_of_github(settings, files)
    installation = github_installation(settings, clock)
    return SetUp(open_books(directory, clock).control, installation, wanted, trusts)


def github_installation(settings: Settings, clock: Clock) -> Installation:
    """The installation of a fleet in GitHub; nothing is asked yet.

    Raises:
        BadInput: The settings say nothing of it, or the environment holds no token.
    """
    from fleetcast.domain.wanted_github import github_of

    github = github_of(settings)
    if find_spec("httpx") is None:
        raise BadInput("GitHub needs httpx, which is not installed", fix="pip install 'fleetcast[azure]'")
    from fleetcast.platforms.github.installation import GitHubInstallation
    from fleetcast.platforms.github.repository import open_repository

    return GitHubInstallation(open_repository(github, os.environ, clock))


def open_azure_set_up(directory: Path, clock: Clock | None = None) -> SetUp:
    """Open the installation of a fleet in Azure; nothing is asked of Azure yet.

    Args:
        directory: The fleet repository.
        clock: Tells the time.

    Raises:
        InvalidFleet: `fleetcast.yaml` has mistakes.
        BadInput: The settings lack something.
        Unavailable: The database does not answer.
    """
    from fleetcast.app.books import open_books
    from fleetcast.config.settings_reader import read_settings_file
    from fleetcast.domain.wanted_azure import wanted_in_azure
    from fleetcast.platforms.azureml.client import AzureClients
    from fleetcast.platforms.azureml.installation import AzureInstallation
    from fleetcast.workflows.set_up import SetUp

    settings = read_settings_file(directory).settings
    given = given_to_commands(directory, settings, os.environ)
    wanted = wanted_in_azure(settings, os.environ.get(ACCOUNT_VARIABLE, ""), given)
    books = open_books(directory, clock or SystemClock())
    clients = AzureClients(settings.azure, settings.registry)
    return SetUp(books.control, AzureInstallation(clients, directory), wanted)


def given_to_commands(directory: Path, settings: Settings, environment: Mapping[str, str]) -> Given:
    """What commands are given that the cluster runs; git is asked only where one is scheduled.

    Raises:
        GitRefuses: Git cannot read the repository.
    """
    from fleetcast import __version__
    from fleetcast.config.settings import SETTINGS_FILE
    from fleetcast.domain.wanted_azure import Given
    from fleetcast.platforms.git.repository import commit_of

    return Given(
        commit=commit_of(directory, (SETTINGS_FILE,)) if settings.schedules else "",
        version=__version__,
        database=environment.get(DATABASE_URL_VARIABLE, ""),
        signing_key=environment.get(SIGNING_KEY_VARIABLE, ""),
    )
