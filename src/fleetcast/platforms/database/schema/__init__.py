"""The tables of the control database, one file for each capability.

Columns hold what is looked up, compared or unique; `content` holds the rest of a value as JSON. The same
tables serve SQLite and PostgreSQL.
"""

from __future__ import annotations

from fleetcast.platforms.database.schema.accounts import (
    accounts,
    one_time_links,
    refused_sign_ins,
    sign_in_attempts,
    sign_in_sessions,
)
from fleetcast.platforms.database.schema.alarms import alarms, last_looks
from fleetcast.platforms.database.schema.approvals import pending_subject, requests
from fleetcast.platforms.database.schema.assets import assets, data_assets, shared_environments
from fleetcast.platforms.database.schema.audit import audit
from fleetcast.platforms.database.schema.deployments import deployments, rollouts
from fleetcast.platforms.database.schema.effects import effects
from fleetcast.platforms.database.schema.intent import (
    champions,
    qa_passed,
    refused_models,
    removed_artifacts,
    selected_models,
)
from fleetcast.platforms.database.schema.jobs import components_run, handed_over, jobs
from fleetcast.platforms.database.schema.leases import leases
from fleetcast.platforms.database.schema.manifests import manifests
from fleetcast.platforms.database.schema.metadata import metadata
from fleetcast.platforms.database.schema.models import model_versions, shared_models
from fleetcast.platforms.database.schema.notices import channel_states, letters, pages, told
from fleetcast.platforms.database.schema.people import (
    grants,
    identities,
    people,
    people_groups,
    people_names,
    tokens,
)
from fleetcast.platforms.database.schema.policies import gate_policies
from fleetcast.platforms.database.schema.releases import live_releases, releases
from fleetcast.platforms.database.schema.repeats import repeats
from fleetcast.platforms.database.schema.runs import runs
from fleetcast.platforms.database.schema.schedules import scheduled_runs
from fleetcast.platforms.database.schema.serving import (
    deployment_reports,
    endpoint_keys,
    endpoint_stretches,
    traffic,
)
from fleetcast.platforms.database.schema.versions import (
    FIRST_SCHEMA_VERSION,
    NUMBER,
    first_schema_version,
    schema_version,
)

__all__ = [
    "FIRST_SCHEMA_VERSION",
    "NUMBER",
    "accounts",
    "alarms",
    "assets",
    "audit",
    "champions",
    "channel_states",
    "components_run",
    "data_assets",
    "deployment_reports",
    "deployments",
    "effects",
    "endpoint_keys",
    "endpoint_stretches",
    "first_schema_version",
    "gate_policies",
    "grants",
    "handed_over",
    "identities",
    "jobs",
    "last_looks",
    "leases",
    "letters",
    "live_releases",
    "manifests",
    "metadata",
    "model_versions",
    "one_time_links",
    "pages",
    "pending_subject",
    "people",
    "people_groups",
    "people_names",
    "qa_passed",
    "refused_models",
    "refused_sign_ins",
    "releases",
    "removed_artifacts",
    "repeats",
    "requests",
    "rollouts",
    "runs",
    "scheduled_runs",
    "schema_version",
    "selected_models",
    "shared_environments",
    "shared_models",
    "sign_in_attempts",
    "sign_in_sessions",
    "tokens",
    "told",
    "traffic",
]
