"""`foreign_models:` in `fleetcast.yaml`."""

from __future__ import annotations

from typing import Annotated

from pydantic import PlainValidator

from fleetcast.config import scalars
from fleetcast.config.schema import SecondsOrDuration, Written
from fleetcast.config.settings.settings_file import SettingsFile
from fleetcast.domain.errors import BadInput
from fleetcast.domain.foreign import ForeignLimits


class ForeignModelsWritten(Written):
    """`foreign_models:`."""

    memory: Annotated[int, PlainValidator(scalars.size)] | None = None
    time: SecondsOrDuration | None = None


def read_foreign_models(written: ForeignModelsWritten | None, file: SettingsFile) -> ForeignLimits:
    """What a forecast with a model that was trained elsewhere may take."""
    plain = ForeignLimits()
    if written is None:
        return plain
    try:
        return ForeignLimits(written.memory or plain.memory, written.time or plain.time)
    except BadInput as error:
        file.refuse(error, "foreign_models")
        return plain
