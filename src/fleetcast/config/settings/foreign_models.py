"""`foreign_models:` in `fleetcast.yaml`."""

from __future__ import annotations

from typing import Annotated

from fleetcast.config.written import SecondsOrDuration, Size, Written, judged
from fleetcast.domain.foreign import ForeignLimits


class ForeignModelsWritten(Written):
    """`foreign_models:`."""

    memory: Annotated[Size, judged(lambda size: ForeignLimits(memory=size))] | None = None
    time: Annotated[SecondsOrDuration, judged(lambda length: ForeignLimits(time=length))] | None = None


def read_foreign_models(written: ForeignModelsWritten | None) -> ForeignLimits:
    """What a forecast with a model that was trained elsewhere may take."""
    plain = ForeignLimits()
    if written is None:
        return plain
    return ForeignLimits(written.memory or plain.memory, written.time or plain.time)
