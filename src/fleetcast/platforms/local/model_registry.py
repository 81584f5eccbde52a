"""Model versions and the shared registry of the local platform: tables beside the control database's own."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Row

from fleetcast.domain import happened
from fleetcast.domain.assets import Asset
from fleetcast.domain.canonical import canonical_json
from fleetcast.domain.identity import CircuitKey, Digest
from fleetcast.domain.model import ModelVersion, TrainedModel, VersionEntry
from fleetcast.platforms.database import schema
from fleetcast.platforms.database.columns import TORN, moment, whole_number
from fleetcast.platforms.database.session import Kept, changes, chunks, reads
from fleetcast.ports.models import Shared
from fleetcast.stored.assets import ASSET
from fleetcast.stored.form import unreadable
from fleetcast.stored.models import TRAINED_MODEL

_versions = schema.model_versions


class LocalModelRegistry(Kept):
    """Holds the versions of every model."""

    @reads
    def entries(self, connection: Connection) -> Mapping[str, Sequence[VersionEntry]]:
        """Every version by model name, oldest first, in one reading."""
        columns = [
            _versions.c[name]
            for name in (
                "name",
                "version",
                "plant",
                "circuit",
                "training_hash",
                "inputs",
                "artifact",
                "artifact_bytes",
            )
        ]
        versions: defaultdict[str, list[VersionEntry]] = defaultdict(list)
        query = sa.select(*columns).order_by(_versions.c.name, _versions.c.version)
        for row in connection.execute(query):
            entry = _entry(row)
            versions[entry.name].append(entry)
        return dict(versions)

    @reads
    def versions(
        self, connection: Connection, names: Collection[str]
    ) -> Mapping[str, Sequence[ModelVersion]]:
        """All versions of these models, oldest first."""
        found: dict[str, list[ModelVersion]] = {name: [] for name in names}
        for some in chunks(list(names)):
            query = sa.select(_versions).where(_versions.c.name.in_(some)).order_by(_versions.c.version)
            for row in connection.execute(query):
                found[row.name].append(_version(row))
        return found

    @changes
    def register(self, connection: Connection, models: Sequence[TrainedModel]) -> Sequence[ModelVersion]:
        """Give each model its next version; here all or none."""
        held = self._by_job(connection, [model.made_by for model in models])
        latest = self._latest(connection)
        now = self.session.clock.now()
        given: dict[str, ModelVersion] = {}
        for model in models:
            if model.made_by in held or model.made_by in given:
                continue
            latest[model.name] = latest.get(model.name, 0) + 1
            given[model.made_by] = ModelVersion(latest[model.name], model, now)
        self._insert(connection, list(given.values()))
        return [held.get(model.made_by) or given[model.made_by] for model in models]

    @reads
    def registered_by(self, connection: Connection, makers: Sequence[str]) -> Mapping[str, ModelVersion]:
        """The versions that these jobs and adoptions made, by maker."""
        return self._by_job(connection, makers)

    @reads
    def latest(self, connection: Connection) -> Mapping[str, int]:
        """The highest number of each model."""
        return self._latest(connection)

    @changes
    def note(self, connection: Connection, versions: Sequence[ModelVersion]) -> None:
        """List versions whose numbers were given elsewhere, all or none; for a registry that is not this one."""
        self._insert(connection, versions)

    def _insert(self, connection: Connection, versions: Sequence[ModelVersion]) -> None:
        if versions:
            connection.execute(sa.insert(_versions), [_row(version) for version in versions])
            self.session.audit(connection, [happened.model_registered(one) for one in versions])

    def _by_job(self, connection: Connection, jobs: Sequence[str]) -> dict[str, ModelVersion]:
        held = {}
        for some in chunks(jobs):
            for row in connection.execute(sa.select(_versions).where(_versions.c.job.in_(some))):
                held[row.job] = _version(row)
        return held

    def _latest(self, connection: Connection) -> dict[str, int]:
        query = sa.select(_versions.c.name, sa.func.max(_versions.c.version).label("latest")).group_by(
            _versions.c.name
        )
        latest: dict[str, int] = {}
        for row in connection.execute(query):
            try:
                latest[row.name] = whole_number(row.latest)
            except TORN as error:
                raise unreadable(f"model_versions {row.name}:{row.latest}") from error
        return latest


class LocalSharedRegistry(Kept):
    """What dev, test and prod have in common. Who shares keeps the audit log, as with a registry far away."""

    @reads
    def shared(self, connection: Connection) -> Shared:
        """Everything in it, by name."""
        environments: defaultdict[str, list[str]] = defaultdict(list)
        models: defaultdict[str, list[int]] = defaultdict(list)
        for row in connection.execute(
            sa.select(schema.shared_environments.c.name, schema.shared_environments.c.version)
        ):
            environments[row.name].append(row.version)
        query = sa.select(schema.shared_models.c.name, schema.shared_models.c.version)
        for name, version in map(tuple, connection.execute(query)):  # by place, as there may be thousands
            try:
                models[name].append(whole_number(version))
            except TORN as error:
                raise unreadable(f"shared_models {name}:{version}") from error
        return Shared(dict(environments), dict(models))

    @changes
    def share_environment(self, connection: Connection, environment: Asset) -> None:
        """Copy an environment version."""
        table = schema.shared_environments
        same = (table.c.name == environment.name, table.c.version == environment.version)
        if connection.execute(sa.select(table.c.name).where(*same)).first():
            return
        connection.execute(
            sa.insert(table).values(
                name=environment.name,
                version=environment.version,
                digest=environment.digest.hex,
                content=ASSET.to_json(environment),
            )
        )

    @changes
    def share_models(self, connection: Connection, versions: Sequence[ModelVersion]) -> None:
        """Copy model versions under the same numbers."""
        table = schema.shared_models
        held = {
            (row.name, row.version) for row in connection.execute(sa.select(table.c.name, table.c.version))
        }
        new = {(one.name, one.version): one for one in versions if (one.name, one.version) not in held}
        if new:
            connection.execute(
                sa.insert(table),
                [
                    {"name": name, "version": number, "artifact": version.model.artifact.hex}
                    for (name, number), version in new.items()
                ],
            )


def _entry(row: Row[Any]) -> VersionEntry:
    # By place: a plan reads thousands of them, and asking a row by name costs ten times as much.
    name, version, plant, circuit, training_hash, inputs, artifact, artifact_bytes = tuple(row)
    try:
        return VersionEntry(
            name,
            whole_number(version),
            CircuitKey(plant, circuit),
            Digest(training_hash),
            inputs,
            Digest(artifact),
            whole_number(artifact_bytes),
        )
    except TORN as error:
        raise unreadable(f"model_versions {name}:{version}") from error


def _version(row: Row[Any]) -> ModelVersion:
    where = f"model_versions {row.name}:{row.version}"
    model = TRAINED_MODEL.from_json(row.content, where)
    try:
        return ModelVersion(whole_number(row.version), model, moment(row.registered_at))
    except TORN as error:
        raise unreadable(where) from error


def _row(version: ModelVersion) -> dict[str, object]:
    lineage = version.model.lineage
    return {
        "name": version.name,
        "version": version.version,
        "training_hash": lineage.training_hash.hex,
        "plant": lineage.key.plant,
        "circuit": lineage.key.circuit,
        "job": version.model.made_by,
        "inputs": canonical_json(lineage.inputs),
        "registered_at": version.registered_at.isoformat(),
        "artifact": version.model.artifact.hex,
        "artifact_bytes": version.model.artifact_bytes,
        "content": TRAINED_MODEL.to_json(version.model),
    }
