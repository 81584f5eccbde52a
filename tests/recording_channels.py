"""Channels for tests: real ones that keep what they are sent, and answer as they are told to."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from fleetcast.ports.channels import Delivery, Message, Sent


@dataclass(slots=True)
class RecordingChannel:
    """Takes everything, unless it is given other answers first."""

    answers: list[Delivery] = field(default_factory=list)
    """For the next messages, in order."""
    sent: list[Message] = field(default_factory=list)
    """What it took."""
    offered: list[Message] = field(default_factory=list)
    """What it was given, taken or not."""
    on_send: Callable[[], None] = lambda: None
    """Called when something is sent, before it answers."""

    def send(self, message: Message) -> Delivery:
        self.offered.append(message)
        self.on_send()
        answer = self.answers.pop(0) if self.answers else Sent()
        if isinstance(answer, Sent):
            self.sent.append(message)
        return answer

    @property
    def ids(self) -> list[str]:
        """Of the notices that it took, in order."""
        return [notice.id for message in self.sent for notice in message.notices]

    @property
    def titles(self) -> list[str]:
        return [notice.title for message in self.sent for notice in message.notices]
