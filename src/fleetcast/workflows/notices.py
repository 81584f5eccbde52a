"""Look at what people were told and what waits, have it tried again, take care of pages, and try a channel."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from fleetcast.domain.errors import BadInput
from fleetcast.domain.identity import Digest
from fleetcast.domain.letter import ChannelState, Letter
from fleetcast.domain.notice import EventKind, Fact, Notice
from fleetcast.domain.page import Page
from fleetcast.domain.role import Right
from fleetcast.domain.settings.notifications import NotificationSettings
from fleetcast.ports.channels import Delivery, Message
from fleetcast.ports.clock import Clock
from fleetcast.ports.platform import Control
from fleetcast.workflows.deliver import OpenChannel


@dataclass(frozen=True, slots=True)
class NoticesListed:
    """What there is to see."""

    pages: tuple[Page, ...]
    """Those that somebody has to acknowledge, oldest first."""
    waiting: tuple[Letter, ...]
    """In the order in which they are sent."""
    ended: tuple[Letter, ...]
    """Newest first."""
    channels: Mapping[str, ChannelState]


@dataclass(frozen=True, slots=True)
class Notices:
    """What people are told, as it stands in the books."""

    control: Control
    settings: NotificationSettings

    def listed(self, count: int) -> NoticesListed:
        """Everything that waits, and the last so many letters that do not.

        Raises:
            Denied: Whoever acts may not look.
        """
        self.control.require(Right.VIEW)
        outbox = self.control.outbox
        return NoticesListed(
            tuple(outbox.open_pages()),
            tuple(outbox.waiting()),
            tuple(outbox.ended(count)),
            outbox.channels(),
        )

    def retry(self, numbers: Sequence[int], channel: str | None) -> int:
        """Have letters tried again that were given up, and a channel that is left alone or disabled.

        Returns:
            How many letters wait again.

        Raises:
            Denied: Whoever acts may not.
            BadInput: There is nothing to try, no such channel, or a letter that waits or was sent.
        """
        self.control.require(Right.OPERATE)
        if channel is not None:
            self.settings.channel(channel)
        elif not numbers:
            raise BadInput("nothing is named that could be tried again", fix="name letters, or a --channel")
        return self.control.outbox.retry(numbers, channel)

    def acknowledge(self, number: int) -> Page:
        """Say that whoever acts takes care of a page: it escalates no further.

        Raises:
            Denied: Whoever acts may not.
            BadInput: There is no such page, or somebody takes care of it already.
        """
        self.control.require(Right.OPERATE)
        return self.control.outbox.acknowledge(number)


@dataclass(frozen=True, slots=True)
class TryChannel:
    """Sends a message that says it is a test, past everything that waits."""

    control: Control
    settings: NotificationSettings
    open_channel: OpenChannel
    clock: Clock

    def __call__(self, name: str) -> Delivery:
        """Send it, and say what came of it.

        Raises:
            Denied: Whoever acts may not.
            BadInput: There is no such channel.
        """
        self.control.require(Right.OPERATE)
        channel = self.settings.channel(name)
        now = self.clock.now()
        number = Digest.of(f"test of {name} {now.isoformat()}".encode()).hex[:24]
        title = f"a test of the channel {name}: nothing has happened"
        notice = Notice(number, EventKind.ALARM, now, title, (Fact("sent by", self.control.actor.name),))
        return self.open_channel(channel).send(Message(number, title, (notice,)))
