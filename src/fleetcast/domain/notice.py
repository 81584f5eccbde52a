"""What people are told: of what happened, whom it concerns, and how urgent it is."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from fleetcast.domain.place import EnvironmentName


class EventKind(StrEnum):
    """What there is to tell."""

    TRAINING_STARTED = "training-started"
    TRAINING_COMPLETED = "training-completed"
    TRAINING_FAILED = "training-failed"
    TRAINING_LONG_RUNNING = "training-long-running"
    APPROVAL_REQUIRED = "approval-required"
    APPROVAL_DECIDED = "approval-decided"
    APPROVAL_EXPIRING = "approval-expiring"
    DEPLOYMENT_STARTED = "deployment-started"
    DEPLOYMENT_STEP = "deployment-step"
    DEPLOYMENT_COMPLETED = "deployment-completed"
    ROLLED_BACK = "rolled-back"
    DRIFT = "drift"
    DATA_STALE = "data-stale"
    ENDPOINT_DOWN = "endpoint-down"
    ALARM = "alarm"
    """Any other alarm of monitoring."""
    RECOVERED = "recovered"
    CHANNEL_DISABLED = "channel-disabled"
    SCHEDULE_FAILED = "schedule-failed"
    """What starts by itself failed so often that it is not tried again."""


PAGES = frozenset({EventKind.ROLLED_BACK, EventKind.DATA_STALE, EventKind.ENDPOINT_DOWN})
"""What needs acknowledgement, ignores quiet hours and is never digested."""


@dataclass(frozen=True, slots=True)
class Fact:
    """One line of a notice."""

    name: str
    value: str


@dataclass(frozen=True, slots=True)
class NoticeLink:
    """Where to read more, or to act."""

    says: str
    url: str


@dataclass(frozen=True, slots=True)
class Notice:
    """One thing that happened, as people are told of it."""

    id: str
    """Of the event, the same however often it is told: receivers drop what they know."""
    kind: EventKind
    at: datetime
    """Aware UTC."""
    title: str
    """One line; text of users in it is escaped by each channel, not here."""
    facts: tuple[Fact, ...] = ()
    environment: EnvironmentName | None = None
    plant: str | None = None
    circuit: str | None = None
    owner: str | None = None
    """Of the circuit, as the fleet repository says."""
    people: tuple[str, ...] = ()
    """Whom alone it is for, by their names on record; empty: whoever the routes say."""
    links: tuple[NoticeLink, ...] = ()
    runbook: str | None = None
    """A URL, or a page of docs/: what to do."""
