"""`ramp:` in `fleetcast.yaml`."""

from __future__ import annotations

from typing import Annotated

from pydantic import PlainValidator

from fleetcast.config import scalars
from fleetcast.config.schema import Written
from fleetcast.config.settings.settings_file import SettingsFile
from fleetcast.domain.errors import BadInput
from fleetcast.domain.settings import Ramp


class RampWritten(Written):
    """`ramp:`."""

    steps: list[Annotated[int, PlainValidator(scalars.whole(0, 100))]]


def read_ramp(written: RampWritten | None, file: SettingsFile) -> Ramp:
    """The shares of traffic that a release takes."""
    try:
        return Ramp(tuple(written.steps)) if written else Ramp()
    except BadInput as error:
        file.refuse(error, "ramp", "steps")
        return Ramp()
