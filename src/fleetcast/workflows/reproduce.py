"""Train a registered model version again from its lineage, and compare the bytes."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from pathlib import Path

from fleetcast.domain.component import TrainingComponent
from fleetcast.domain.errors import BadInput, FleetcastError
from fleetcast.domain.job import TrainingJob
from fleetcast.domain.model import ModelVersion, TrainedLineage
from fleetcast.domain.reproduction import Obstacle, Reproduction
from fleetcast.domain.role import Right
from fleetcast.pipeline.rows import write_rows
from fleetcast.pipeline.steps import JobFiles, check_steps, run_steps
from fleetcast.ports.artifacts import ArtifactMissing
from fleetcast.ports.platform import Platform
from fleetcast.ports.readings import Readings, ReadingsWanted, VersionGone
from fleetcast.stored.jobs import FIT_TASK
from fleetcast.stored.plain_folder import digest_of_folder, read_plain

_REQUIREMENTS, _PYTHON = "requirements.txt", "python_env.yaml"


class _Stopped(Exception):
    """Nothing can come of it."""

    def __init__(self, obstacle: Obstacle, detail: str) -> None:
        super().__init__(detail)
        self.obstacle, self.detail = obstacle, detail


@dataclass(frozen=True, slots=True)
class Reproduce:
    """Runs the steps of a version's job again, on the rows that it was given, and keeps nothing of what comes of it."""

    platform: Platform

    def __call__(self, component: TrainingComponent, name: str, version: int) -> Reproduction:
        """Reproduce one version.

        Args:
            component: As the fleet declares it: its steps are run on this machine.
            name: Of the model.
            version: Of the model.

        Raises:
            Denied: Whoever acts may not look.
            BadInput: There is no such version.
        """
        self.platform.control.require(Right.VIEW)
        held = self.platform.workspace.models.versions([name]).get(name, ())
        chosen = next((each for each in held if each.version == version), None)
        if chosen is None:
            raise BadInput(
                f"there is no version {version} of {name}", fix="`fleetcast models list` shows what there is"
            )
        try:
            return self._again(chosen, component)
        except _Stopped as stopped:
            return Reproduction(name, version, chosen.model.artifact, None, stopped.obstacle, stopped.detail)

    def _again(self, chosen: ModelVersion, component: TrainingComponent) -> Reproduction:
        lineage = chosen.model.lineage
        if not isinstance(lineage, TrainedLineage):
            raise _Stopped(Obstacle.ADOPTED, f"from {lineage.source}")
        job = self._job(lineage)
        if component.digest != lineage.component_digest:
            raise _Stopped(
                Obstacle.COMPONENT_CHANGED,
                f"it was {lineage.component}:{lineage.component_version} of commit {lineage.commit}, the fleet "
                f"declares {component.name}:{component.version}: check that commit out",
            )
        readings = self._rows(lineage)
        with tempfile.TemporaryDirectory(prefix="fleetcast-reproduce-") as folder:
            files = JobFiles(Path(folder), Path(folder) / "task.json", Path(folder) / "rows.parquet")
            write_rows(readings, files.data)
            files.task.write_text(FIT_TASK.to_json(job.task), encoding="utf-8")
            try:
                check_steps(component)
                run_steps(component, files)
                found = digest_of_folder(files.model).digest
            except (FleetcastError, FileNotFoundError) as error:
                raise _Stopped(Obstacle.FAILED, str(error)) from error
            registered = chosen.model.artifact
            if found == registered:
                return Reproduction(chosen.name, chosen.version, registered, found)
            obstacle, detail, differing = self._why(chosen, files.model)
            return Reproduction(chosen.name, chosen.version, registered, found, obstacle, detail, differing)

    def _job(self, lineage: TrainedLineage) -> TrainingJob:
        jobs = self.platform.workspace.jobs.jobs_for([lineage.training_hash]).get(lineage.training_hash, ())
        job = next((job for job in jobs if job.id == lineage.job), None)
        if job is None:
            raise _Stopped(Obstacle.JOB_GONE, f"job {lineage.job}")
        return job

    def _rows(self, lineage: TrainedLineage) -> Readings:
        """The very rows, frozen or from the pinned version of their table."""
        workspace = self.platform.workspace
        if workspace.frozen.holds(lineage.fingerprint):
            return workspace.frozen.load(lineage.fingerprint, lineage.key)
        asset = workspace.data.held([lineage.data_digest]).get(lineage.data_digest)
        if asset is None:
            raise _Stopped(Obstacle.ROWS_GONE, f"no data asset {lineage.data_digest.short} is registered")
        table = workspace.tables.get(asset.source)
        if table is None:
            raise _Stopped(Obstacle.ROWS_GONE, f"the fleet declares no data source {asset.source!r}")
        wanted = ReadingsWanted(asset.key, asset.sensors, asset.start, asset.end)
        try:
            readings = next(iter(table.read([wanted], asset.delta_version)))
        except VersionGone as error:
            raise _Stopped(Obstacle.ROWS_GONE, str(error)) from error
        if readings.fingerprint() != lineage.fingerprint:
            raise _Stopped(
                Obstacle.ROWS_GONE,
                f"version {asset.delta_version} of {asset.source} gives other rows than it did when they were checked",
            )
        return readings

    def _why(self, chosen: ModelVersion, made: Path) -> tuple[Obstacle, str, tuple[str, ...]]:
        """What explains best that the bytes differ."""
        try:
            before = self.platform.workspace.artifacts.load(chosen.model.artifact).content
        except ArtifactMissing as error:
            return Obstacle.NUMBERS, f"which cannot be looked into: {error}", ()
        now = read_plain(made).content
        differing = tuple(
            sorted(name for name in before.keys() | now.keys() if before.get(name) != now.get(name))
        )
        for name, obstacle in ((_REQUIREMENTS, Obstacle.FLEETCAST), (_PYTHON, Obstacle.PYTHON)):
            if name in differing:
                return obstacle, f"{_first(before.get(name))}, and this is {_first(now.get(name))}", differing
        return Obstacle.NUMBERS, "", differing


def _first(content: bytes | None) -> str:
    lines = (content or b"").decode(errors="replace").splitlines()
    return lines[0] if lines else "nothing"
