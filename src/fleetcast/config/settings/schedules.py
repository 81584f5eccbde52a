"""`schedules:` in `fleetcast.yaml`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated

from pydantic import PlainValidator, model_validator

from fleetcast.config import scalars
from fleetcast.config.cron import check_cron
from fleetcast.config.settings.settings_file import SettingsFile
from fleetcast.config.written import Text, Written, judged
from fleetcast.config.yaml_nodes import Block, Scalar
from fleetcast.domain.errors import BadInput
from fleetcast.domain.place import EnvironmentName
from fleetcast.domain.settings.schedules import PER_ENVIRONMENT, USUAL, Routine, Schedule

_Environment = Annotated[str, PlainValidator(scalars.one_of("test", "prod"))]


class ScheduleWritten(Written):
    """One entry of `schedules:`: a cron expression alone, or with where."""

    cron: Annotated[Text, judged(check_cron)]
    environments: list[_Environment] | None = None

    @model_validator(mode="before")
    @classmethod
    def _alone(cls, written: object) -> object:
        if not isinstance(written, Scalar) or written.empty:
            return written
        block = Block(written.line)
        block["cron"] = written
        return block


class SchedulesWritten(Written):
    """`schedules:`."""

    plan: ScheduleWritten | None = None
    train: ScheduleWritten | None = None
    score: ScheduleWritten | None = None
    monitor: ScheduleWritten | None = None
    retention: ScheduleWritten | None = None


def read_schedules(written: SchedulesWritten | None, file: SettingsFile) -> Mapping[Routine, Schedule]:
    """What starts by itself: nothing but what is written."""
    found = {}
    for routine in Routine:
        schedule: ScheduleWritten | None = getattr(written, routine) if written else None
        if schedule is None:
            continue
        usual = USUAL if routine in PER_ENVIRONMENT else ()
        where = usual if schedule.environments is None else tuple(map(EnvironmentName, schedule.environments))
        try:
            found[routine] = Schedule(routine, schedule.cron, where)
        except BadInput as error:
            file.refuse(error, "schedules", routine, "environments")
    return found
