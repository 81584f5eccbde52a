"""See alarms, take them in hand, or have them quiet for a while."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from fleetcast.domain.alarm import Alarm, LastLook
from fleetcast.domain.place import EnvironmentName, Scope
from fleetcast.domain.role import Right
from fleetcast.ports.platform import Control


@dataclass(frozen=True, slots=True)
class HandleAlarms:
    """What people do with alarms; none of it ends one: that does the next look that finds its cause gone.

    Raises:
        Denied: At each call, where whoever acts may not look, or may not operate where the alarm is about.
    """

    control: Control

    def open_ones(self, environment: EnvironmentName | None = None) -> Sequence[Alarm]:
        """Those that are not over, the most harmful first."""
        self.control.require(Right.VIEW)
        return self.control.alarms.open_ones(environment)

    def listed(self, environment: EnvironmentName | None, count: int) -> Sequence[Alarm]:
        """The last that were raised, whatever became of them, newest first."""
        self.control.require(Right.VIEW)
        return self.control.alarms.listed(environment, count)

    def last_looks(self) -> Mapping[EnvironmentName, LastLook]:
        """The newest look at each environment."""
        self.control.require(Right.VIEW)
        return self.control.alarms.last_looks()

    def find(self, number: int) -> Alarm:
        """One alarm.

        Raises:
            BadInput: There is none of this number.
        """
        self.control.require(Right.VIEW)
        return self.control.alarms.find(number)

    def acknowledge(self, number: int, comment: str) -> Alarm:
        """Say that one has an alarm in hand.

        Raises:
            BadInput: There is no such alarm, it is over, or the comment is too long.
        """
        self._check_operates(number)
        return self.control.alarms.acknowledge(number, comment)

    def snooze(self, number: int, until: datetime) -> Alarm:
        """Have nobody told of an alarm before `until`.

        Raises:
            BadInput: There is no such alarm, it is over, or that moment has passed.
        """
        self._check_operates(number)
        return self.control.alarms.snooze(number, until)

    def _check_operates(self, number: int) -> None:
        self.control.require_somewhere(Right.OPERATE)
        cause = self.control.alarms.find(number).cause
        self.control.require(Right.OPERATE, Scope(environment=cause.environment, plant=cause.plant))
