"""What fleetcast needs to remember of alarms: each from its first sign until it is over, and for ever after."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from datetime import datetime, timedelta
from typing import Protocol

from fleetcast.domain.alarm import Alarm, Change, LastLook
from fleetcast.domain.place import EnvironmentName

Decide = Callable[[Sequence[Alarm]], Sequence[Change]]
"""What a look makes of the alarms that are open; pure, as it may be asked again."""


class AlarmBook(Protocol):
    """Keeps alarms; each that is raised, over, acknowledged or snoozed with its audit entry, a repeat without."""

    def exclusive(
        self, environment: EnvironmentName, holder: str, timeout: timedelta
    ) -> AbstractContextManager[None]:
        """Be the only one who looks at an environment, for the length of a `with` block; as of `RunBook.exclusive`."""
        ...

    def settle(self, look: LastLook, decide: Decide) -> Sequence[Change]:
        """Write down what a look makes of the alarms of its environment, all or nothing, and number the new ones.

        What people say of an alarm at the same time is not lost: `decide` is given the alarms as they are in the
        transaction that keeps what it says.
        """
        ...

    def acknowledge(self, number: int, comment: str) -> Alarm:
        """Write down that the actor has an alarm in hand; who has it already is not written down again.

        Raises:
            BadInput: There is no such alarm, or it is over.
        """
        ...

    def snooze(self, number: int, until: datetime) -> Alarm:
        """Have nobody told of an alarm before `until`, aware UTC.

        Raises:
            BadInput: There is no such alarm, it is over, or that moment has passed.
        """
        ...

    def find(self, number: int) -> Alarm:
        """One alarm.

        Raises:
            BadInput: There is none of this number.
        """
        ...

    def open_ones(self, environment: EnvironmentName | None = None) -> Sequence[Alarm]:
        """Those that are not over, of an environment or of all, the most harmful first."""
        ...

    def listed(self, environment: EnvironmentName | None, count: int) -> Sequence[Alarm]:
        """The last that were raised, whatever became of them, newest first."""
        ...

    def last_looks(self) -> Mapping[EnvironmentName, LastLook]:
        """The newest look at each environment that was looked at."""
        ...
