"""What `fleetcast.yaml` says: how a fleet is run, apart from what its circuits are; one file for each capability."""

from fleetcast.domain.settings.azure import AzureSettings, ClusterSettings
from fleetcast.domain.settings.azure_devops import AzureDevOpsSettings
from fleetcast.domain.settings.cost import CostSettings
from fleetcast.domain.settings.data_sources import DEFAULT_READINGS, DataSource, ExternalTable, OwnTable
from fleetcast.domain.settings.environments import (
    DEFAULT_ENVIRONMENTS,
    EnvironmentSettings,
)
from fleetcast.domain.settings.fleet_settings import Settings
from fleetcast.domain.settings.github import GitHubSettings
from fleetcast.domain.settings.notifications import (
    AppriseChannel,
    AzureDevOpsChannel,
    ChannelKind,
    ChannelSettings,
    EmailChannel,
    Escalation,
    NotificationSettings,
    QuietHours,
    Route,
    Security,
    TeamsChannel,
    Weekday,
)
from fleetcast.domain.settings.platform import (
    DATABASE_URL_VARIABLE,
    DEFAULT_STATE,
    PlatformKind,
    PlatformSettings,
)
from fleetcast.domain.settings.polling import Polling
from fleetcast.domain.settings.retention import DEFAULT_RETENTION, Retention
from fleetcast.domain.settings.schedules import Routine, Schedule
from fleetcast.domain.settings.sign_in import OIDC_SECRET_VARIABLE, OidcSettings, SignInSettings
from fleetcast.domain.settings.signing import SIGNING_KEY_VARIABLE, SigningSettings

__all__ = [
    "DATABASE_URL_VARIABLE",
    "DEFAULT_ENVIRONMENTS",
    "DEFAULT_READINGS",
    "DEFAULT_RETENTION",
    "DEFAULT_STATE",
    "OIDC_SECRET_VARIABLE",
    "SIGNING_KEY_VARIABLE",
    "AppriseChannel",
    "AzureDevOpsChannel",
    "AzureDevOpsSettings",
    "AzureSettings",
    "ChannelKind",
    "ChannelSettings",
    "ClusterSettings",
    "CostSettings",
    "DataSource",
    "EmailChannel",
    "EnvironmentSettings",
    "Escalation",
    "ExternalTable",
    "GitHubSettings",
    "NotificationSettings",
    "OidcSettings",
    "OwnTable",
    "PlatformKind",
    "PlatformSettings",
    "Polling",
    "QuietHours",
    "Retention",
    "Route",
    "Routine",
    "Schedule",
    "Security",
    "Settings",
    "SignInSettings",
    "SigningSettings",
    "TeamsChannel",
    "Weekday",
]
