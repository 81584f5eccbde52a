"""Everything that fleetcast keeps itself, in one person's name, whatever the platform that trains."""

from __future__ import annotations

from datetime import timedelta
from importlib import import_module
from typing import Any

from fleetcast.domain.role import Right
from fleetcast.platforms.control.approvals import ControlApprovalBook
from fleetcast.platforms.control.audit import ControlAuditLog
from fleetcast.platforms.control.effects import ControlEffectBook
from fleetcast.platforms.control.model_states import ControlModelStates
from fleetcast.platforms.control.people import ControlPeopleBook
from fleetcast.platforms.control.policies import ControlPolicyBook
from fleetcast.platforms.control.runs import ControlRunBook
from fleetcast.platforms.database.session import Session
from fleetcast.ports.platform import Control


class _Later:
    """A book that is opened when something is first asked of it: a command waits for none that it does not need."""

    __slots__ = ("_book", "_name", "_with")

    def __init__(self, name: str, *opened_with: object) -> None:
        self._name, self._with = name, opened_with
        self._book: Any = None

    @property
    def _opened(self) -> Any:
        if self._book is None:
            module, _, book = self._name.partition(":")
            self._book = getattr(import_module(f"fleetcast.platforms.control.{module}"), book)(*self._with)
        return self._book

    @property  # type: ignore[misc]  # whoever asks what it is is told what it stands for
    def __class__(self) -> type:
        return type(self._opened)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._opened, name)


def _later(name: str, *opened_with: object) -> Any:
    """One of the books, by `module:Class`, opened with these."""
    return _Later(name, *opened_with)


def control(session: Session, lease: timedelta, only: frozenset[Right] = frozenset()) -> Control:
    """Open what the control database keeps.

    Args:
        session: Whose name every change carries.
        lease: For how long a run that shows no sign of life is waited for.
        only: What the actor's token reaches to, at most; empty: all that they may.
    """
    return Control(
        actor=session.actor,
        states=ControlModelStates(session),
        manifests=_later("manifests:ControlManifestBook", session),
        releases=_later("releases:ControlReleaseBook", session),
        deployments=_later("deployments:ControlDeploymentBook", session, lease),
        forecasts=_later("forecasts:ControlForecastBook", session, lease),
        alarms=_later("alarms:ControlAlarmBook", session, lease),
        effects=ControlEffectBook(session),
        approvals=ControlApprovalBook(session),
        audit=ControlAuditLog(session),
        policies=ControlPolicyBook(session),
        runs=ControlRunBook(session, lease),
        people=ControlPeopleBook(session),
        tokens=_later("tokens:ControlTokenBook", session),
        accounts=_later("accounts:ControlAccountBook", session),
        sessions=_later("sessions:ControlSessionBook", session),
        attempts=_later("sessions:ControlAttemptBook", session),
        repeats=_later("repeats:ControlRepeatBook", session),
        outbox=_later("outbox:ControlOutbox", session, lease),
        schedules=_later("schedules:ControlScheduleBook", session, lease),
        only=only,
    )
