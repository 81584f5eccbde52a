"""Looking through what is kept, page by page: requests, the audit log and runs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Generic, TypeVar

from fleetcast.domain.approval import Request, RequestState, WantedRequests
from fleetcast.domain.audit import AuditEntry
from fleetcast.domain.role import Right
from fleetcast.domain.run import Run
from fleetcast.ports.clock import Clock
from fleetcast.ports.platform import Control

T = TypeVar("T")
_SCANNED = 5_000
"""Entries of the log that one page looks through at most."""
_LOOKED_AT = 500
"""Entries that are read at once, where few of them may be wanted."""


@dataclass(frozen=True, slots=True)
class Stretch:
    """Which part of a list is asked for."""

    count: int
    """How many at most."""
    after: int | None = None
    """The number of what stands right before it; None: from the beginning."""
    newest_first: bool = False


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """A part of a list. It may hold fewer than were asked for, even nothing, and yet not be the last."""

    items: tuple[T, ...]
    next: int | None
    """After which number the list goes on; None: it does not."""


@dataclass(frozen=True, slots=True)
class WantedEntries:
    """Which entries of the audit log are asked for; what is None or 0 holds for all."""

    by: str | None = None
    action: str | None = None
    """An action, or its beginning before the dot: `request`."""
    request: int = 0
    since: datetime | None = None
    until: datetime | None = None
    """Entries before this moment."""

    @property
    def all_hold(self) -> bool:
        """Whether every entry about the request is one of them, so that none has to be looked at in vain."""
        return self == WantedEntries(request=self.request)

    def hold(self, entry: AuditEntry) -> bool:
        """Whether an entry is one of them."""
        action = entry.event.action
        return (
            self.by in (None, entry.actor.name)
            and self.action in (None, action, action.partition(".")[0])
            and (self.since is None or entry.at >= self.since)
            and (self.until is None or entry.at < self.until)
        )


@dataclass(frozen=True, slots=True)
class Browse:
    """Give pages to whoever may look.

    Raises:
        Denied: At each of them, where whoever acts may not.
    """

    control: Control
    clock: Clock

    def requests(self, wanted: WantedRequests, stretch: Stretch) -> Page[Request]:
        """Requests as they stand now, with their evidence: what has lapsed with time is no longer pending."""
        self.control.require(Right.VIEW)
        now = self.clock.now()
        asked = set(wanted.states)
        stored = (*wanted.states, RequestState.PENDING) if RequestState.LAPSED in asked else wanted.states
        found = self.control.approvals.page(
            replace(wanted, states=tuple(dict.fromkeys(stored))),
            after=stretch.after,
            count=stretch.count,
            newest_first=stretch.newest_first,
        )
        shown = [request.as_of(now) for request in found]
        if asked:
            shown = [request for request in shown if request.state in asked]
        return Page(tuple(shown), _next(found, stretch.count, lambda request: request.id))

    def audit(self, wanted: WantedEntries, stretch: Stretch) -> Page[AuditEntry]:
        """Entries of the audit log; looks through so many of them at most, and says where it stopped."""
        self.control.require(Right.VIEW)
        held: list[AuditEntry] = []
        after, scanned = stretch.after, 0
        while scanned < _SCANNED:
            size = stretch.count if wanted.all_hold else max(stretch.count, _LOOKED_AT)
            found = self.control.audit.page(
                after=after, count=size, newest_first=stretch.newest_first, request=wanted.request
            )
            for entry in found:
                after = entry.number
                if wanted.hold(entry):
                    held.append(entry)
                if len(held) == stretch.count:
                    return Page(tuple(held), after)
            if len(found) < size:
                return Page(tuple(held), None)
            scanned += len(found)
        return Page(tuple(held), after)

    def runs(self, stretch: Stretch) -> Page[Run]:
        """Runs, newest first."""
        self.control.require(Right.VIEW)
        found = self.control.runs.page(before=stretch.after, count=stretch.count)
        return Page(tuple(found), _next(found, stretch.count, lambda run: int(run.id.rpartition("-")[2])))


def _next(found: Sequence[T], count: int, number: Callable[[T], int]) -> int | None:
    return number(found[-1]) if len(found) == count else None
