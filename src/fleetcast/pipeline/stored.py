"""How domain values are written as JSON, into files and databases, and read back."""

from __future__ import annotations

from typing import Generic, TypeVar

from pydantic import TypeAdapter

from fleetcast.domain.approval import Request
from fleetcast.domain.assets import Asset
from fleetcast.domain.audit import AuditEntry
from fleetcast.domain.component import TrainingComponent
from fleetcast.domain.effect import Effect
from fleetcast.domain.gate import GatePolicy
from fleetcast.domain.job import FitTask, JobOutcome, TrainingJob
from fleetcast.domain.model import TrainedModel
from fleetcast.domain.run import Run
from fleetcast.domain.snapshot import DataAsset

T = TypeVar("T")


class Stored(Generic[T]):
    """Writes values of one type as JSON and reads them back equal."""

    def __init__(self, kind: type[T]) -> None:
        self._kind = kind
        self._adapter: TypeAdapter[T] | None = None

    def to_json(self, value: T) -> str:
        """Write a value."""
        return self._ready().dump_json(value).decode()

    def from_json(self, text: str | bytes) -> T:
        """Read a value back, equal to what was written."""
        return self._ready().validate_json(text)

    def _ready(self) -> TypeAdapter[T]:
        if self._adapter is None:
            self._adapter = TypeAdapter(self._kind)
        return self._adapter


ASSET = Stored(Asset)
DATA_ASSET = Stored(DataAsset)
FIT_TASK = Stored(FitTask)
JOB_OUTCOME = Stored(JobOutcome)
TRAINING_JOB = Stored(TrainingJob)
COMPONENT = Stored(TrainingComponent)
TRAINED_MODEL = Stored(TrainedModel)
REQUEST = Stored(Request)
RUN = Stored(Run)
AUDIT_ENTRY = Stored(AuditEntry)
EFFECT = Stored(Effect)
GATE_POLICY = Stored(GatePolicy)
