"""Everything that fleetcast keeps itself, in one person's name, whatever the platform that trains."""

from __future__ import annotations

from datetime import timedelta

from fleetcast.domain.role import Right
from fleetcast.platforms.control.accounts import ControlAccountBook
from fleetcast.platforms.control.approvals import ControlApprovalBook
from fleetcast.platforms.control.audit import ControlAuditLog
from fleetcast.platforms.control.deployments import ControlDeploymentBook
from fleetcast.platforms.control.effects import ControlEffectBook
from fleetcast.platforms.control.manifests import ControlManifestBook
from fleetcast.platforms.control.model_states import ControlModelStates
from fleetcast.platforms.control.people import ControlPeopleBook
from fleetcast.platforms.control.policies import ControlPolicyBook
from fleetcast.platforms.control.releases import ControlReleaseBook
from fleetcast.platforms.control.repeats import ControlRepeatBook
from fleetcast.platforms.control.runs import ControlRunBook
from fleetcast.platforms.control.sessions import ControlAttemptBook, ControlSessionBook
from fleetcast.platforms.control.tokens import ControlTokenBook
from fleetcast.platforms.database.session import Session
from fleetcast.ports.platform import Control


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
        manifests=ControlManifestBook(session),
        releases=ControlReleaseBook(session),
        deployments=ControlDeploymentBook(session, lease),
        effects=ControlEffectBook(session),
        approvals=ControlApprovalBook(session),
        audit=ControlAuditLog(session),
        policies=ControlPolicyBook(session),
        runs=ControlRunBook(session, lease),
        people=ControlPeopleBook(session),
        tokens=ControlTokenBook(session),
        accounts=ControlAccountBook(session),
        sessions=ControlSessionBook(session),
        attempts=ControlAttemptBook(session),
        repeats=ControlRepeatBook(session),
        only=only,
    )
