"""`ramp:` in `fleetcast.yaml`."""

from __future__ import annotations

from typing import Annotated

from fleetcast.config.settings.settings_file import SettingsFile
from fleetcast.config.written import Duration, Whole, Written, judged
from fleetcast.domain.errors import BadInput
from fleetcast.domain.ramp import Ramp


class RampWritten(Written):
    """`ramp:`."""

    steps: Annotated[list[Whole], judged(lambda steps: Ramp(tuple(steps)))] | None = None
    window: Annotated[Duration, judged(lambda window: Ramp(window=window, soak=window))] | None = None
    soak: Duration | None = None
    ready_within: Annotated[Duration, judged(lambda length: Ramp(ready_within=length))] | None = None
    patience: Annotated[Whole, judged(lambda windows: Ramp(patience=windows))] | None = None


def read_ramp(written: RampWritten | None, file: SettingsFile) -> Ramp:
    """How a release takes over the traffic; a window above the usual soak raises it."""
    plain = Ramp()
    if written is None:
        return plain
    window = written.window or plain.window
    try:
        return Ramp(
            tuple(written.steps or plain.shares),
            window,
            written.soak or max(plain.soak, window),
            written.ready_within or plain.ready_within,
            written.patience or plain.patience,
        )
    except BadInput as error:
        file.refuse(error, "ramp", "soak")
        return plain
