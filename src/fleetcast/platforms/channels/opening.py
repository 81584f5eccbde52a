"""Opens the channels that a fleet declares, each kind by an opener of its own.

A channel that cannot work as things are, for want of a variable or a library, is opened too: it says so to each
message, which waits. Nothing about one channel keeps others from being used.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from fleetcast.domain.outgoing import Outgoing
from fleetcast.domain.settings.notifications import (
    AppriseChannel,
    AzureDevOpsChannel,
    ChannelSettings,
    EmailChannel,
    TeamsChannel,
)
from fleetcast.ports.channels import Channel, Delivery, Message, TryLater, Words
from fleetcast.ports.clock import Clock


@dataclass(frozen=True, slots=True)
class NotReady:
    """A channel that lacks something."""

    why: str

    def send(self, message: Message) -> Delivery:  # noqa: ARG002  # as the port has it
        """Say what it lacks."""
        return TryLater(self.why)


@dataclass(frozen=True, slots=True)
class _Needs:
    """What openers are given."""

    environ: Mapping[str, str]
    clock: Clock
    words: Words
    outgoing: Outgoing


def open_channel(
    channel: ChannelSettings,
    environ: Mapping[str, str],
    clock: Clock,
    words: Words,
    outgoing: Outgoing,
) -> Channel:
    """Open a channel; nobody is asked yet.

    Args:
        channel: As the settings declare it.
        environ: Variables by name, among them its secrets.
        clock: Tells when a server wants to be asked again, and the date of a mail.
        words: How messages are put.
        outgoing: Which addresses may be connected to, by `NotificationSettings.outgoing`.
    """
    return _OPENERS[type(channel)](channel, _Needs(environ, clock, words, outgoing))


def _teams(channel: TeamsChannel, needs: _Needs) -> Channel:
    url = needs.environ.get(channel.url_variable, "").strip()
    if not url:
        return _without(channel.url_variable)
    try:
        from fleetcast.platforms.channels.teams import TeamsWebhook
        from fleetcast.platforms.http.guarded import Bounds, GuardedHttp
    except ModuleNotFoundError:
        return NotReady("a library is not installed: pip install 'fleetcast[notifications]'")
    from fleetcast.platforms.channels.limits import LONGEST

    http = GuardedHttp(needs.outgoing, Bounds(seconds=LONGEST))
    return TeamsWebhook(url, channel.url_variable, needs.words, http, needs.clock)


def _email(channel: EmailChannel, needs: _Needs) -> Channel:
    from fleetcast.platforms.channels.mail import MailServer

    password = needs.environ.get(channel.password_variable) if channel.password_variable else None
    if channel.password_variable and not (password or "").strip():
        return _without(channel.password_variable)
    return MailServer(channel, password, needs.words, needs.outgoing, needs.clock)


def _azure_devops(_channel: AzureDevOpsChannel, needs: _Needs) -> Channel:
    from fleetcast.platforms.channels.azure_devops import AzureDevOpsRun

    return AzureDevOpsRun(needs.environ, needs.words, sys.stderr)


def _apprise(channel: AppriseChannel, needs: _Needs) -> Channel:
    from fleetcast.platforms.channels.apprise import AppriseService

    url = needs.environ.get(channel.url_variable, "").strip()
    if not url:
        return _without(channel.url_variable)
    return AppriseService(url, channel.url_variable, needs.words, needs.outgoing, needs.environ)


def _without(variable: str) -> NotReady:
    return NotReady(f"the environment variable {variable} is not set")


_OPENERS: Mapping[type[ChannelSettings], Callable[..., Channel]] = {
    TeamsChannel: _teams,
    EmailChannel: _email,
    AzureDevOpsChannel: _azure_devops,
    AppriseChannel: _apprise,
}
