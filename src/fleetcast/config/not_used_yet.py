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

_NOTHING_WATCHED = "nothing is watched after training"

NOT_USED_YET: Mapping[str, str] = {
    "registry": "only Azure ML has several registries; elsewhere a fleet has one, whatever its name",
    "environments.dev.data_drift": _NOTHING_WATCHED,
    "environments.dev.model_drift": _NOTHING_WATCHED,
    "environments.dev.latency_ms": _NOTHING_WATCHED,
    "environments.dev.error_rate": _NOTHING_WATCHED,
    "environments.dev.availability": _NOTHING_WATCHED,
    "environments.test": "models are held against the thresholds of dev; endpoints are not watched",
    "environments.prod": "models are held against the thresholds of dev; endpoints are not watched",
    "retention": "nothing is deleted for its age",
    "notifications": "no notices are sent",
    "schedules.monitor": "there is no command yet that watches endpoints and readings",
    "schedules.retention": "nothing is deleted for its age",
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
        | _below("environments.dev.thresholds.sensors.*", _BOUNDS)
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
        | _below("azure_devops", "organisation project repository url reviewers approvers variables")
        | _below("azure_devops.key_vault", "name connection secrets")
        | _below("azure_devops.connections.*", "tenant subscription subscription_name client_id")
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
