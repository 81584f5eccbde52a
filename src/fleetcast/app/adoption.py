"""Taking over what a team has already."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from fleetcast.app.desk import open_fleet
from fleetcast.domain.errors import BadInput
from fleetcast.ports.clock import Clock, SystemClock

if TYPE_CHECKING:
    from fleetcast.ports.model_sources import ModelSource
    from fleetcast.workflows.adopt import Adopt, Opened


def open_adoption(models: Path | None = None, mlflow: str | None = None, clock: Clock | None = None) -> Adopt:
    """Taking over circuits of another layout, with the models of a folder, of an MLflow registry, or without.

    Raises:
        BadInput: Both are named, or the registry cannot be one.
    """
    from fleetcast.platforms.foreign.process import ProcessForeignModels
    from fleetcast.workflows.adopt import Adopt

    if models is not None and mlflow is not None:
        raise BadInput("both a folder and a registry are named", fix="choose --models or --mlflow")
    source: ModelSource | None = None
    if models is not None:
        from fleetcast.platforms.foreign.folder_source import FolderSource

        source = FolderSource(models)
    if mlflow is not None:
        from fleetcast.platforms.foreign.mlflow_source import MlflowSource

        source = MlflowSource(mlflow)
    clock = clock or SystemClock()
    return Adopt(source, ProcessForeignModels, lambda directory: _opened(directory, clock), clock)


def _opened(directory: Path, clock: Clock) -> Opened:
    from fleetcast.platforms.git.repository import commit_of
    from fleetcast.workflows.adopt import Opened

    fleet = open_fleet(directory, clock)
    return Opened(fleet.fleet, fleet.platform, commit_of(directory, fleet.files), fleet.state)
