"""All settings of a fleet together."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from fleetcast.domain.foreign import ForeignLimits
from fleetcast.domain.gate import DEFAULT_GATES, GatePolicy
from fleetcast.domain.identity import checked_id
from fleetcast.domain.place import EnvironmentName, Gate
from fleetcast.domain.ramp import Ramp
from fleetcast.domain.settings.azure import AzureSettings
from fleetcast.domain.settings.azure_devops import AzureDevOpsSettings
from fleetcast.domain.settings.contacts import checked_contact
from fleetcast.domain.settings.cost import CostSettings
from fleetcast.domain.settings.data_sources import DataSource, OwnTable
from fleetcast.domain.settings.environments import DEFAULT_ENVIRONMENTS, EnvironmentSettings
from fleetcast.domain.settings.github import GitHubSettings
from fleetcast.domain.settings.notifications import NotificationSettings
from fleetcast.domain.settings.platform import PlatformSettings
from fleetcast.domain.settings.polling import Polling
from fleetcast.domain.settings.retention import DEFAULT_RETENTION, Retention
from fleetcast.domain.settings.schedules import Routine, Schedule
from fleetcast.domain.settings.sign_in import SignInSettings
from fleetcast.domain.settings.signing import SigningSettings


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything `fleetcast.yaml` says, with defaults where it is silent."""

    registry: str = "fleet-registry"
    """Name of the shared registry."""
    platform: PlatformSettings = field(default_factory=PlatformSettings)
    azure: AzureSettings = field(default_factory=AzureSettings)
    cost: CostSettings = field(default_factory=CostSettings)
    data_sources: Mapping[str, DataSource] = field(
        default_factory=lambda: MappingProxyType({"readings": OwnTable("readings")})
    )
    environments: Mapping[EnvironmentName, EnvironmentSettings] = field(
        default_factory=lambda: DEFAULT_ENVIRONMENTS
    )
    """Always all three."""
    gates: Mapping[Gate, GatePolicy] = field(default_factory=lambda: DEFAULT_GATES)
    """Always all three."""
    polling: Polling = field(default_factory=Polling)
    ramp: Ramp = field(default_factory=Ramp)
    retention: Mapping[EnvironmentName, Retention] = field(default_factory=lambda: DEFAULT_RETENTION)
    """Always all three."""
    foreign: ForeignLimits = field(default_factory=ForeignLimits)
    """Of models that were trained elsewhere."""
    sign_in: SignInSettings = field(default_factory=SignInSettings)
    signing: SigningSettings = field(default_factory=SigningSettings)
    azure_devops: AzureDevOpsSettings | None = None
    """None: it is not set up there."""
    github: GitHubSettings | None = None
    """None: it is not set up there."""
    notifications: NotificationSettings = field(default_factory=NotificationSettings)
    schedules: Mapping[Routine, Schedule] = field(default_factory=lambda: MappingProxyType({}))
    """What starts by itself; what is not in it does not."""
    contacts: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    """Whom to ask when something is wrong: how to reach them, by their names."""

    def __post_init__(self) -> None:
        checked_id("registry", self.registry)
        for name, reach in self.contacts.items():
            checked_contact(name, reach)
