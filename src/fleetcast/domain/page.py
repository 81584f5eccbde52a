"""What somebody is woken for: told until somebody says that they take care of it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from fleetcast.domain.audit import AuditEntry
from fleetcast.domain.identity import Digest
from fleetcast.domain.letter import Letter
from fleetcast.domain.notice import Fact, Notice
from fleetcast.domain.settings.notifications import NotificationSettings

ENDS_AFTER = timedelta(days=7)
"""A page that nobody acknowledged until then escalates no further."""


@dataclass(frozen=True, slots=True)
class Page:
    """One event that people have to acknowledge, whatever the number of channels it went to."""

    number: int
    """Counted up, 0 before it is kept: what people acknowledge it by."""
    notice: Notice
    raised_at: datetime
    """Aware UTC, as all times."""
    escalations: int = 0
    """How many there were."""
    ended_at: datetime | None = None
    """When somebody acknowledged it, or its cause was over."""
    ended_by: str = ""
    """Who, or what."""

    @property
    def is_open(self) -> bool:
        """Whether somebody still has to."""
        return self.ended_at is None

    def ended(self, at: datetime, by: str) -> Page:
        """The same, taken care of."""
        return replace(self, ended_at=at, ended_by=by)

    @property
    def alarm(self) -> str:
        """The alarm that it is about; empty: none."""
        return next((fact.value for fact in self.notice.facts if fact.name == "alarm"), "")


def ended_by(entry: AuditEntry, pages: Iterable[Page]) -> tuple[Page, ...]:
    """The pages that an entry of the audit log ends: their alarm is over, or was acknowledged."""
    action = entry.event.action
    if action not in ("alarm.recovered", "alarm.acknowledged"):
        return ()
    by = entry.actor.name if action == "alarm.acknowledged" else "its cause is over"
    mine = [page for page in pages if page.is_open and page.alarm == entry.event.subject]
    return tuple(page.ended(entry.at, by) for page in mine)


def escalated(
    pages: Sequence[Page], settings: NotificationSettings, now: datetime
) -> tuple[tuple[Page, ...], tuple[Letter, ...]]:
    """The pages that go further as nobody acknowledged them in time, and what is sent for them.

    Where several steps are due at once, each is taken; the last one counts for a channel that several name.
    """
    changed, letters = [], []
    for page in pages:
        if not page.is_open or now >= page.raised_at + ENDS_AFTER:
            continue
        due = [step for step in settings.escalations if now >= page.raised_at + step.after]
        new = due[page.escalations :]
        if not new:
            continue
        changed.append(replace(page, escalations=len(due)))
        everywhere = tuple(channel.name for channel in settings.channels)
        names = dict.fromkeys(name for step in new for name in step.channels or everywhere)
        letters += [_letter(page, name, len(due), now) for name in names]
    return tuple(changed), tuple(letters)


def _letter(page: Page, channel: str, step: int, now: datetime) -> Letter:
    notice = replace(
        page.notice,
        title=f"nobody has acknowledged: {page.notice.title}",
        facts=(Fact("acknowledge", f"fleetcast notifications ack {page.number}"), *page.notice.facts),
    )
    name = f"escalation {step} {page.notice.id}"
    return Letter(
        number=0,
        channel=channel,
        id=Digest.of(name.encode()).hex[:24],
        key="",
        notices=(notice,),
        made_at=now,
        due_at=now,
        is_page=True,
    )
