"""`schedules:` in `fleetcast.yaml`."""

from __future__ import annotations

import re
from collections.abc import Mapping

from fleetcast.config.complaints import nearest, shown
from fleetcast.config.settings.settings_file import SettingsFile
from fleetcast.domain.errors import BadInput
from fleetcast.domain.settings import SCHEDULED

_CRON_FIELD = re.compile(r"[0-9*,/-]{1,100}")


def read_schedules(written: Mapping[str, str] | None, file: SettingsFile) -> Mapping[str, str]:
    """Cron expressions by what they start."""
    for name, cron in (written or {}).items():
        if name not in SCHEDULED:
            file.complaint(f"unknown schedule {shown(name)}", nearest(name, SCHEDULED), "schedules", name)
        elif len(cron.split()) != 5 or not all(_CRON_FIELD.fullmatch(part) for part in cron.split()):
            error = BadInput(f"{shown(cron)} is not a schedule", fix="write five cron fields: '0 2 * * *'")
            file.refuse(error, "schedules", name)
    return dict(written or {})
