"""Opening channels: each kind has its own, and one that lacks something says so and keeps nobody waiting."""

from __future__ import annotations

import typing

import pytest

from fleetcast.domain.settings.notifications import (
    AppriseChannel,
    AzureDevOpsChannel,
    ChannelSettings,
    EmailChannel,
    NotificationSettings,
    Security,
    TeamsChannel,
)
from fleetcast.platforms.channels.apprise import AppriseService
from fleetcast.platforms.channels.azure_devops import AzureDevOpsRun
from fleetcast.platforms.channels.mail import MailServer
from fleetcast.platforms.channels.opening import _OPENERS, NotReady, open_channel
from fleetcast.platforms.channels.teams import TeamsWebhook
from fleetcast.ports.channels import TryLater
from tests.clocks import FixedClock
from tests.views.notices import PAGE, WORDS

MAIL = EmailChannel("mail", "mail.example.com", 587, "a@example.com", ("b@example.com",))
SIGNED_IN = EmailChannel(
    "mail", "mail.example.com", 587, "a@example.com", ("b@example.com",), "ops", "MAIL_PASSWORD", Security.TLS
)
CHANNELS: list[tuple[ChannelSettings, type]] = [
    (TeamsChannel("room", "ROOM_URL"), TeamsWebhook),
    (MAIL, MailServer),
    (SIGNED_IN, MailServer),
    (AzureDevOpsChannel("run"), AzureDevOpsRun),
    (AppriseChannel("pager", "PAGER_URL"), AppriseService),
]
ENVIRON = {"ROOM_URL": "https://example.org/x", "PAGER_URL": "json://example.org", "MAIL_PASSWORD": "x"}


def test_every_kind_has_an_opener() -> None:
    assert set(_OPENERS) == set(typing.get_args(ChannelSettings))


@pytest.mark.parametrize(("settings", "kind"), CHANNELS)
def test_each_kind_is_opened(settings: ChannelSettings, kind: type) -> None:
    assert type(open_channel(settings, ENVIRON, FixedClock(), WORDS, NotificationSettings().outgoing)) is kind


@pytest.mark.parametrize(
    ("settings", "variable"),
    [(CHANNELS[0][0], "ROOM_URL"), (SIGNED_IN, "MAIL_PASSWORD"), (CHANNELS[4][0], "PAGER_URL")],
)
@pytest.mark.parametrize("value", [None, "", " \n"])
def test_one_without_its_secret_says_so_to_each_message(
    settings: ChannelSettings, variable: str, value: str | None
) -> None:
    environ = {name: held for name, held in ENVIRON.items() if name != variable}
    if value is not None:
        environ[variable] = value
    opened = open_channel(settings, environ, FixedClock(), WORDS, NotificationSettings().outgoing)
    assert isinstance(opened, NotReady)
    assert opened.send(PAGE) == TryLater(f"the environment variable {variable} is not set")
