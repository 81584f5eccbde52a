"""What fleetcast needs to tell people something: ways to reach them, each of which may be slow, refuse or be gone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Protocol

from fleetcast.domain.notice import Notice


@dataclass(frozen=True, slots=True)
class Message:
    """What is sent at once: one notice, or a digest of several."""

    id: str
    """Stable: the same message sent again has the same one."""
    subject: str
    """One line."""
    notices: Sequence[Notice]
    """Oldest first; never empty."""


@dataclass(frozen=True, slots=True)
class Sent:
    """The channel took it."""

    but: str = ""
    """What was left out of it, for people: recipients whom a mail server refused while it took the others."""


@dataclass(frozen=True, slots=True)
class TryLater:
    """It did not, and may later: too many requests, an error of the server, no answer within the time limit."""

    why: str
    """One line, without any secret."""
    after: timedelta | None = None
    """How long it asks to be left alone; None: it does not say."""


@dataclass(frozen=True, slots=True)
class Refused:
    """It never takes this message: too large, malformed. Others may pass."""

    why: str


@dataclass(frozen=True, slots=True)
class Gone:
    """It takes no message any more (HTTP 410): it is to be disabled."""

    why: str


Delivery = Sent | TryLater | Refused | Gone


class Channel(Protocol):
    """One way to reach people; each `kind` of `notifications.channels` is one class.

    `send` ends within ten seconds, never raises, follows no redirect with a secret, and tells no secret. A message that
    is sent twice is recognised by its id where the receiver can.
    """

    def send(self, message: Message) -> Delivery:
        """Send a message, and say what came of it."""
        ...


@dataclass(frozen=True, slots=True)
class Mail:
    """A message as mail: the same in two forms."""

    subject: str
    """One line."""
    text: str
    html: str


class Words(Protocol):
    """How messages are put for each kind of channel; text of users in it is escaped for what reads it there."""

    def card(self, message: Message, most: int) -> bytes:
        """A message to Microsoft Teams as JSON, of at most so many bytes.

        What does not fit is left out, and counted.
        """
        ...

    def mail(self, message: Message) -> Mail:
        """A message as mail."""
        ...

    def line(self, message: Message) -> tuple[str, str]:
        """A title and a short text, without any marks."""
        ...

    def markdown(self, message: Message) -> str:
        """A message for the page of a pipeline's run."""
        ...

    def agent_lines(self, message: Message, summary: str) -> Sequence[str]:
        """What the agent of a pipeline is told on its output, which shows the file `summary` on the run's page."""
        ...
