"""`ramp:` in `fleetcast.yaml`."""

from __future__ import annotations

from typing import Annotated

from fleetcast.config.schema import Whole, Written, judged
from fleetcast.domain.settings import Ramp


class RampWritten(Written):
    """`ramp:`."""

    steps: Annotated[list[Whole], judged(lambda steps: Ramp(tuple(steps)))]


def read_ramp(written: RampWritten | None) -> Ramp:
    """The shares of traffic that a release takes."""
    return Ramp(tuple(written.steps)) if written else Ramp()
