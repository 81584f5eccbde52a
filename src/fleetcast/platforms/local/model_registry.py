"""Model versions, the ones in use and the shared registry, in the control database."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Row

from fleetcast.domain.assets import Asset
from fleetcast.domain.audit import AuditEvent
from fleetcast.domain.canonical import canonical_json
from fleetcast.domain.identity import CircuitKey, Digest
from fleetcast.domain.model import (
    AdoptedLineage,
    FleetIndex,
    ModelVersion,
    TrainedModel,
    VersionEntry,
    VersionState,
    check_adoptable,
)
from fleetcast.pipeline.stored import ASSET, TRAINED_MODEL
from fleetcast.platforms.database import schema
from fleetcast.platforms.database.control import ControlDatabase, KeptInDatabase, changes, chunks, reads
from fleetcast.ports.models import Shared

_versions = schema.model_versions


class LocalModelRegistry(KeptInDatabase):
    """Holds the versions of every model, and which one is in use."""

    @reads
    def index(self, connection: Connection) -> FleetIndex:
        """Every version and selection, in one reading."""
        columns = [
            _versions.c[name]
            for name in ("name", "version", "plant", "circuit", "training_hash", "state", "inputs")
        ]
        versions: defaultdict[str, list[VersionEntry]] = defaultdict(list)
        for row in connection.execute(sa.select(*columns).order_by(_versions.c.name, _versions.c.version)):
            versions[row.name].append(
                VersionEntry(
                    row.name,
                    row.version,
                    CircuitKey(row.plant, row.circuit),
                    Digest(row.training_hash),
                    VersionState(row.state),
                    row.inputs,
                )
            )
        selected = {row.name: row.version for row in connection.execute(sa.select(schema.selected_models))}
        return FleetIndex(dict(versions), selected)

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

    @reads
    def selected(self, connection: Connection) -> Mapping[str, ModelVersion]:
        """The version in use of every model that has one."""
        chosen = schema.selected_models
        query = sa.select(_versions).join(
            chosen, (chosen.c.name == _versions.c.name) & (chosen.c.version == _versions.c.version)
        )
        return {row.name: _version(row) for row in connection.execute(query)}

    @changes
    def register(self, connection: Connection, models: Sequence[TrainedModel]) -> Sequence[ModelVersion]:
        """Give each model its next version and select it, all or none."""
        return self._register(connection, models)

    @changes
    def adopt(self, connection: Connection, models: Sequence[TrainedModel]) -> Sequence[ModelVersion]:
        """Register models made elsewhere as first versions, in use, shared and champions: all or none."""
        held = self._by_job(connection, [model.made_by for model in models])
        new = [model for model in models if model.made_by not in held]
        check_adoptable(new, self._latest(connection))
        adopted = self._register(connection, models)
        _share(self.database, connection, [one for one in adopted if one.model.made_by not in held])
        return adopted

    def _register(self, connection: Connection, models: Sequence[TrainedModel]) -> Sequence[ModelVersion]:
        held = self._by_job(connection, [model.made_by for model in models])
        latest = self._latest(connection)
        now = self.database.clock.now()
        given: dict[str, ModelVersion] = {}
        for model in models:
            if model.made_by in held or model.made_by in given:
                continue
            latest[model.name] = latest.get(model.name, 0) + 1
            given[model.made_by] = ModelVersion(latest[model.name], model, VersionState.REGISTERED, now)
        if given:
            connection.execute(sa.insert(_versions), [_row(version) for version in given.values()])
            self.database.audit(connection, [_registered(version) for version in given.values()])
            self._choose(connection, {version.name: version.version for version in given.values()})
        return [held.get(model.made_by) or given[model.made_by] for model in models]

    @changes
    def select(self, connection: Connection, choices: Mapping[str, int]) -> None:
        """Make earlier versions the ones in use."""
        self._choose(connection, choices)
        self.database.audit(
            connection,
            [AuditEvent("model.selected", f"{name}:{version}", {}) for name, version in choices.items()],
        )

    @changes
    def deselect(self, connection: Connection, names: Collection[str]) -> None:
        """Take models out of use; their versions stay."""
        for some in chunks(list(names)):
            connection.execute(
                sa.delete(schema.selected_models).where(schema.selected_models.c.name.in_(some))
            )
        self.database.audit(connection, [AuditEvent("model.deselected", name, {}) for name in names])

    @changes
    def reject(self, connection: Connection, name: str, version: int) -> None:
        """Mark a version as rejected, so that no plan reuses it."""
        connection.execute(
            sa.update(_versions)
            .where(_versions.c.name == name, _versions.c.version == version)
            .values(state=VersionState.REJECTED.value)
        )
        self.database.audit(connection, [AuditEvent("model.rejected", f"{name}:{version}", {})])

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
        return {row.name: row.latest for row in connection.execute(query)}

    def _choose(self, connection: Connection, choices: Mapping[str, int]) -> None:
        chosen = schema.selected_models
        for some in chunks(list(choices)):
            connection.execute(sa.delete(chosen).where(chosen.c.name.in_(some)))
        if choices:
            connection.execute(
                sa.insert(chosen), [{"name": name, "version": number} for name, number in choices.items()]
            )


class LocalSharedRegistry(KeptInDatabase):
    """What dev, test and prod have in common."""

    @reads
    def shared(self, connection: Connection) -> Shared:
        """Everything in it, by name."""
        environments: defaultdict[str, list[str]] = defaultdict(list)
        models: defaultdict[str, list[int]] = defaultdict(list)
        for row in connection.execute(
            sa.select(schema.shared_environments.c.name, schema.shared_environments.c.version)
        ):
            environments[row.name].append(row.version)
        for row in connection.execute(sa.select(schema.shared_models.c.name, schema.shared_models.c.version)):
            models[row.name].append(row.version)
        champions = {row.name: row.version for row in connection.execute(sa.select(schema.champions))}
        return Shared(dict(environments), dict(models), champions)

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
        event = AuditEvent("environment.shared", str(environment), {"digest": environment.digest.hex})
        self.database.audit(connection, [event])

    @changes
    def share_models(self, connection: Connection, versions: Sequence[ModelVersion]) -> None:
        """Copy model versions under the same numbers, and make each the champion."""
        _share(self.database, connection, versions)

    @changes
    def crown(self, connection: Connection, champions: Mapping[str, int]) -> None:
        """Make versions that are already shared the champions."""
        _crown(connection, champions)
        self.database.audit(
            connection,
            [AuditEvent("model.crowned", f"{name}:{number}", {}) for name, number in champions.items()],
        )


def _share(database: ControlDatabase, connection: Connection, versions: Sequence[ModelVersion]) -> None:
    table = schema.shared_models
    held = {(row.name, row.version) for row in connection.execute(sa.select(table.c.name, table.c.version))}
    new = [version for version in versions if (version.name, version.version) not in held]
    if not new:
        return
    connection.execute(
        sa.insert(table),
        [
            {"name": version.name, "version": version.version, "artifact": version.model.artifact.hex}
            for version in new
        ],
    )
    _crown(connection, {version.name: version.version for version in new})
    database.audit(
        connection,
        [
            AuditEvent("model.shared", str(version), {"artifact": version.model.artifact.hex})
            for version in new
        ],
    )


def _crown(connection: Connection, champions: Mapping[str, int]) -> None:
    table = schema.champions
    for some in chunks(list(champions)):
        connection.execute(sa.delete(table).where(table.c.name.in_(some)))
    connection.execute(
        sa.insert(table), [{"name": name, "version": number} for name, number in champions.items()]
    )


def _version(row: Row[tuple[object, ...]]) -> ModelVersion:
    return ModelVersion(
        row.version,
        TRAINED_MODEL.from_json(row.content),
        VersionState(row.state),
        datetime.fromisoformat(row.registered_at),
    )


def _row(version: ModelVersion) -> dict[str, object]:
    lineage = version.model.lineage
    return {
        "name": version.name,
        "version": version.version,
        "training_hash": lineage.training_hash.hex,
        "state": version.state.value,
        "plant": lineage.key.plant,
        "circuit": lineage.key.circuit,
        "job": version.model.made_by,
        "inputs": canonical_json(lineage.inputs),
        "registered_at": version.registered_at.isoformat(),
        "content": TRAINED_MODEL.to_json(version.model),
    }


def _registered(version: ModelVersion) -> AuditEvent:
    lineage = version.model.lineage
    said = {
        "training_hash": lineage.training_hash.hex,
        "artifact": version.model.artifact.hex,
        "commit": lineage.commit,
    }
    if isinstance(lineage, AdoptedLineage):
        return AuditEvent("model.adopted", str(version), said | {"source": lineage.source})
    said |= {"fingerprint": lineage.fingerprint.hex, "job": lineage.job}
    return AuditEvent("model.registered", str(version), said)
