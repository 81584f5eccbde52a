"""`polling:` in `fleetcast.yaml`."""

from __future__ import annotations

from fleetcast.config.settings.settings_file import SettingsFile
from fleetcast.config.written import Duration, Written
from fleetcast.domain.errors import BadInput
from fleetcast.domain.settings import Polling


class PollingWritten(Written):
    """`polling:`."""

    start: Duration | None = None
    max: Duration | None = None
    longest: Duration | None = None


def read_polling(written: PollingWritten | None, file: SettingsFile) -> Polling:
    """How a run waits; a start above the usual pause raises it."""
    plain = Polling()
    if written is None:
        return plain
    start = written.start or plain.start
    try:
        return Polling(start, written.max or max(plain.pause, start), written.longest or plain.longest)
    except BadInput as error:
        file.refuse(error, "polling")
        return plain
