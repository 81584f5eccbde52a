"""What fleetcast needs to keep what people are to be told until they are, and what they were."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from fleetcast.domain.audit import AuditEvent
from fleetcast.domain.letter import ChannelState, Letter
from fleetcast.domain.page import Page
from fleetcast.domain.telling import Told


@dataclass(frozen=True, slots=True)
class Change:
    """What is written at once, or not at all."""

    told: Told | None = None
    """None: as it was."""
    letters: Sequence[Letter] = ()
    """Those with a number take the place of what they were, if that still waits; others are added in this order."""
    dropped: Sequence[Letter] = ()
    """Those that became part of another."""
    pages: Sequence[Page] = ()
    """Those with a number that is there take the place of what they were, if that is open; others are added."""
    channels: Sequence[ChannelState] = ()
    gone: Sequence[str] = ()
    """Channels that nothing is kept of any more."""
    events: Sequence[AuditEvent] = ()


class Outbox(Protocol):
    """Keeps letters, pages, and how channels stand."""

    def exclusive(self, holder: str, timeout: timedelta) -> AbstractContextManager[None]:
        """Be the only one who delivers, for the length of a `with` block; as `RunBook.exclusive`.

        Raises:
            RunInProgress: Another process does, and did not let go in time.
        """
        ...

    def told(self) -> Told | None:
        """How far the audit log was read; None: nothing was ever told."""
        ...

    def channels(self) -> Mapping[str, ChannelState]:
        """How each channel stands that something was ever kept for."""
        ...

    def waiting(self, channel: str | None = None) -> Sequence[Letter]:
        """The letters that wait, for one channel or all, in the order in which they are to be sent."""
        ...

    def ended(self, count: int) -> Sequence[Letter]:
        """The last so many letters that wait for nothing any more, newest first."""
        ...

    def find(self, number: int) -> Letter:
        """One letter.

        Raises:
            BadInput: There is none of this number.
        """
        ...

    def open_pages(self) -> Sequence[Page]:
        """The pages that somebody has to acknowledge, oldest first."""
        ...

    def last_page(self) -> int:
        """The number of the newest page; 0: there was none."""
        ...

    def keep(self, change: Change) -> None:
        """Write a change, all or nothing.

        Raises:
            RunTakenOver: This process delivered, and another one does now; nothing was written.
        """
        ...

    def acknowledge(self, number: int) -> Page:
        """Note that whoever acts takes care of a page, with its audit entry.

        Raises:
            BadInput: There is no such page, or it is taken care of already; the text says by whom.
        """
        ...

    def retry(self, numbers: Sequence[int], channel: str | None) -> int:
        """Have letters sent that were refused or expired, and a channel tried again that is disabled or left alone.

        Args:
            numbers: Of letters; none of them may wait or be sent.
            channel: Its own refused and expired ones too; None: only the letters.

        Returns:
            How many letters wait again.

        Raises:
            BadInput: A letter is not there, waits already or was sent; nothing changed.
        """
        ...

    def forget(self, most: int) -> None:
        """Keep at most so many letters of each channel that wait for nothing, the newest, and as many ended pages."""
        ...

    def old(self, before: datetime) -> int:
        """How many letters and pages `forget_old` would remove."""
        ...

    def forget_old(self, before: datetime) -> None:
        """Remove letters that wait for nothing and were made before a moment, and pages that ended before it.

        The newest of each stays, as the next one counts on from it.
        """
        ...
