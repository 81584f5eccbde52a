"""Which settings nothing uses yet: they are read and checked, but change nothing, and that is said.

A capability that begins to use a setting moves its line from one table to the other.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from fleetcast.config.assets import COMPONENT_FILE, ENVIRONMENT_FILE
from fleetcast.config.circuit_files import MAIN_FILE
from fleetcast.config.settings import SETTINGS_FILE
from fleetcast.config.yaml_nodes import Node, line_at

_NOT_SERVED = "nothing is served in dev"
_OF_DEV = "models are held against the thresholds of dev"
_SHARED_STAY = "what is served there is in the shared registry, from which nothing is removed"
_JOBS_IN_DEV = "training jobs run in dev, and no other logs are kept"

NOT_USED_YET: Mapping[str, str] = {
    "registry": "only Azure ML has several registries; elsewhere a fleet has one, whatever its name",
    "environments.dev.latency_ms": _NOT_SERVED,
    "environments.dev.error_rate": _NOT_SERVED,
    "environments.dev.availability": _NOT_SERVED,
    "environments.test.thresholds": _OF_DEV,
    "environments.prod.thresholds": _OF_DEV,
    "retention.dev.predictions": "no forecasts are published in dev",
    "retention.test.models": _SHARED_STAY,
    "retention.test.logs": _JOBS_IN_DEV,
    "retention.prod.models": _SHARED_STAY,
    "retention.prod.logs": _JOBS_IN_DEV,
}
"""Settings of `fleetcast.yaml`, each with all that is below it, and what makes it idle."""


def _below(path: str, names: str) -> set[str]:
    return {f"{path}.{name}" for name in names.split()}


_GATE_RULES = (
    "approvers groups services minimum sequence own_request own_commit own_version verified failing_checks "
    "not_before lapses_after freezes break_glass unsigned"
)
_BOUNDS = "min_skill min_accuracy max_mae max_rmse max_mase min_coverage_80 max_coverage_80"

USED: Mapping[str, frozenset[str]] = {
    SETTINGS_FILE: frozenset(
        _below("platform", "kind state storage database workers max_parallel batch_size lease")
        | _below("azure", "subscription_id resource_group compute datastore image instance_type")
        | _below("azure.workspaces", "dev test prod")
        | _below("azure.cluster", "size min_nodes max_nodes idle")
        | _below("cost", "node_hour start at_once")
        | _below("data_sources.*", "kind path layout columns plant_id circuit_id sensors time_zone")
        | _below("environments.dev.thresholds", _BOUNDS)
        | {"retention.dev.models", "retention.dev.logs"}
        | {"retention.test.predictions", "retention.prod.predictions"}
        | _below("environments.dev.thresholds.sensors.*", _BOUNDS)
        | _below("environments.dev", "data_drift model_drift")
        | _below("environments.test", "data_drift model_drift latency_ms error_rate availability")
        | _below("environments.prod", "data_drift model_drift latency_ms error_rate availability")
        | {
            f"gates.{gate}.{rule}"
            for gate in ("registry-promotion", "test-deployment", "prod-deployment")
            for rule in _GATE_RULES.split()
        }
        | _below("ramp", "steps window soak ready_within patience")
        | _below("polling", "start max longest")
        | _below("foreign_models", "memory time")
        | _below("signing.trusted.*", "key revoked revoked_at")
        | {"signing.checkpoints", "contacts"}
        | _below(
            "sign_in.oidc", "client_id issuer tenant scopes allowed_hosts allowed_networks client_secret"
        )
        | {"sign_in.oidc.roles", "sign_in.oidc.groups"}
        | _below("schedules.plan", "cron environments")
        | _below("schedules.train", "cron environments")
        | _below("schedules.score", "cron environments")
        | _below("schedules.monitor", "cron environments")
        | _below("schedules.retention", "cron environments")
        | _below("azure_devops", "organisation project repository url reviewers approvers variables")
        | _below("notifications", "time_zone runbooks allowed_networks site")
        | _below("notifications.channels.*", "name kind people url host port from to user password security")
        | _below("notifications.routes.*", "channels events environments plants owners")
        | _below("notifications.quiet_hours.*", "from to weekdays")
        | _below("notifications.digest", "wait daily")
        | _below("notifications.escalate.*", "after to")
        | _below("notifications.reminders", "before_lapse long_running")
        | _below("azure_devops.key_vault", "name connection secrets")
        | _below("azure_devops.connections.*", "tenant subscription subscription_name client_id")
        | _below(
            "github",
            "repository url tenant subscription identities reviewers wait approvals variables accepts",
        )
    ),
    MAIN_FILE: frozenset(
        {"plant_id", "circuit_id", "model_name", "description", "owner", "tags", "units", "serving"}
        | {"features", "targets", "frequency", "forecast_horizon", "training_days", "training_window"}
        | {"cutoff_date", "data_source", "delta_version", "pipeline_component_version", "revision"}
        | {"model", "hyperparameters"}
        | _below("sensor_limits.*", "min max")
        | _below("cleaning", "fill_steps max_missing_share max_flat_share flat_steps spike_deviations")
        | _below("thresholds", _BOUNDS)
        | _below("thresholds.sensors.*", _BOUNDS)
    ),
    ENVIRONMENT_FILE: frozenset({"name", "version", "python", "packages"}),
    COMPONENT_FILE: frozenset(
        {"name", "version"}
        | _below("steps.*", "name command inputs outputs")
        | _below("retry", "max_retries timeout")
    ),
}
"""Every other setting, by file; `*` stands for each entry of a list or of a mapping with names of your own."""


@dataclass(frozen=True, slots=True)
class UnusedSetting:
    """A setting that is written and that nothing uses yet."""

    file: str
    line: int
    setting: str
    says: str
    """Why it changes nothing."""

    def __str__(self) -> str:
        return f"{self.setting} ({self.file}:{self.line})"


def unused_settings(root: Node | None) -> tuple[UnusedSetting, ...]:
    """What `fleetcast.yaml` writes and nothing uses yet, in the order of its lines.

    Args:
        root: The file as it is written; None if it is empty.
    """
    found = [
        UnusedSetting(SETTINGS_FILE, line, setting, says)
        for setting, says in NOT_USED_YET.items()
        if (line := line_at(root, *setting.split("."))) is not None
    ]
    return tuple(sorted(found, key=lambda unused: unused.line))
