"""Where models are trained and kept, and how hard that may be driven."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from pathlib import PurePosixPath

from fleetcast.domain.errors import BadInput
from fleetcast.domain.lease import LONGEST
from fleetcast.domain.location import Location

DATABASE_URL_VARIABLE = "FLEETCAST_DATABASE_URL"
"""Environment variable with the control database's URL; never a setting, as it may hold a password."""
DEFAULT_STATE = PurePosixPath(".fleetcast")


class PlatformKind(StrEnum):
    """Where models are trained and kept."""

    LOCAL = "local"
    MEMORY = "memory"
    AZUREML = "azureml"


@dataclass(frozen=True, slots=True)
class PlatformSettings:
    """The platform and how hard it may be driven."""

    kind: PlatformKind = PlatformKind.LOCAL
    state: PurePosixPath = DEFAULT_STATE
    """State directory, relative to the fleet directory and inside it."""
    workers: int | None = None
    """Worker processes; None: as many as the machine has cores."""
    max_parallel: int = 4
    """Batches of jobs that run at once."""
    batch_size: int = 50
    """Jobs in one batch, at most."""
    storage: Location | None = None
    """Where own readings, artifacts and frozen rows are kept for all machines; None: in the state directory."""
    lease: timedelta = timedelta(seconds=60)
    """For how long a process that runs stages and shows no sign of life is waited for."""

    def __post_init__(self) -> None:
        if not timedelta(seconds=1) <= self.lease <= LONGEST:
            raise BadInput(f"lease {self.lease} is out of range", fix="write 1s to 1h")
        if self.workers is not None and not 1 <= self.workers <= 1_024:
            raise BadInput(f"workers {self.workers} is out of range", fix="write 1 to 1024, or leave it out")
        if not 1 <= self.max_parallel <= 1_000:
            raise BadInput(f"max_parallel {self.max_parallel} is out of range", fix="write 1 to 1000 batches")
        if not 1 <= self.batch_size <= 10_000:
            raise BadInput(f"batch_size {self.batch_size} is out of range", fix="write 1 to 10000 jobs")
