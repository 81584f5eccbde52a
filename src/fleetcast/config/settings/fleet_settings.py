"""The whole of `fleetcast.yaml`."""

from __future__ import annotations

from pathlib import Path

from fleetcast.config.complaints import Complaints
from fleetcast.config.settings.azure import AzureWritten, read_azure
from fleetcast.config.settings.azure_devops import AzureDevOpsWritten, read_azure_devops
from fleetcast.config.settings.contacts import read_contacts
from fleetcast.config.settings.cost import CostWritten, read_cost
from fleetcast.config.settings.data_sources import DataSourceWritten, read_data_sources
from fleetcast.config.settings.environments import EnvironmentsWritten, read_environments
from fleetcast.config.settings.foreign_models import ForeignModelsWritten, read_foreign_models
from fleetcast.config.settings.gates import GateWritten, read_gates
from fleetcast.config.settings.github import GitHubWritten, read_github
from fleetcast.config.settings.notifications import NotificationsWritten, read_notifications
from fleetcast.config.settings.platform import PlatformWritten, read_platform
from fleetcast.config.settings.polling import PollingWritten, read_polling
from fleetcast.config.settings.ramp import RampWritten, read_ramp
from fleetcast.config.settings.retention import RetentionsWritten, read_retention
from fleetcast.config.settings.schedules import SchedulesWritten, read_schedules
from fleetcast.config.settings.settings_file import SETTINGS_FILE, SettingsFile
from fleetcast.config.settings.sign_in import SignInWritten, read_sign_in
from fleetcast.config.settings.signing import SigningWritten, read_signing
from fleetcast.config.validation import validated
from fleetcast.config.written import Identifier, Text, Written
from fleetcast.config.yaml_nodes import Block, Node, kind_of
from fleetcast.domain.settings import Settings


class SettingsWritten(Written):
    """`fleetcast.yaml`."""

    registry: Identifier | None = None
    platform: PlatformWritten | None = None
    azure: AzureWritten | None = None
    cost: CostWritten | None = None
    data_sources: dict[str, DataSourceWritten] | None = None
    environments: EnvironmentsWritten | None = None
    gates: dict[str, GateWritten] | None = None
    polling: PollingWritten | None = None
    ramp: RampWritten | None = None
    retention: RetentionsWritten | None = None
    foreign_models: ForeignModelsWritten | None = None
    sign_in: SignInWritten | None = None
    signing: SigningWritten | None = None
    azure_devops: AzureDevOpsWritten | None = None
    github: GitHubWritten | None = None
    notifications: NotificationsWritten | None = None
    schedules: SchedulesWritten | None = None
    contacts: dict[str, Text] | None = None


def read_settings(root: Node | None, directory: Path, complaints: Complaints) -> Settings:
    """Settings with defaults for what is not written or could not be read."""
    if root is None:
        return Settings()
    if not isinstance(root, Block):
        complaints.add(SETTINGS_FILE, root.line, f"the file must be a mapping, not {kind_of(root)}")
        return Settings()
    found, _refused = validated(SettingsWritten, root, SETTINGS_FILE, complaints)
    written, file, plain = found or SettingsWritten(), SettingsFile(root, directory, complaints), Settings()
    platform = read_platform(written.platform, file)
    return Settings(
        registry=written.registry or plain.registry,
        platform=platform,
        azure=read_azure(written.azure, platform, file),
        cost=read_cost(written.cost),
        data_sources=read_data_sources(written.data_sources, file) or plain.data_sources,
        environments=read_environments(written.environments),
        gates=read_gates(written.gates, file),
        polling=read_polling(written.polling, file),
        ramp=read_ramp(written.ramp, file),
        retention=read_retention(written.retention),
        foreign=read_foreign_models(written.foreign_models),
        sign_in=read_sign_in(written.sign_in, file),
        signing=read_signing(written.signing, file),
        azure_devops=read_azure_devops(written.azure_devops, file),
        github=read_github(written.github, file),
        notifications=read_notifications(written.notifications, file),
        schedules=read_schedules(written.schedules, file),
        contacts=read_contacts(written.contacts, file),
    )
