"""`notifications:` in `fleetcast.yaml`."""

from __future__ import annotations

from datetime import time, timedelta
from ipaddress import ip_network
from pathlib import Path

import pytest

from fleetcast.config.settings_reader import load_settings
from fleetcast.domain.errors import InvalidFleet
from fleetcast.domain.notice import EventKind
from fleetcast.domain.place import EnvironmentName
from fleetcast.domain.settings import (
    AppriseChannel,
    AzureDevOpsChannel,
    EmailChannel,
    Escalation,
    NotificationSettings,
    QuietHours,
    Route,
    Security,
    Settings,
    TeamsChannel,
    Weekday,
)

CHANNELS = """\
notifications:
  channels:
    - {name: operators, kind: teams, url: '${env:OPERATORS_TEAMS_URL}'}
    - name: duty
      kind: email
      host: smtp.example.com
      from: fleet@example.com
      to: [duty@example.com, night@example.com]
      user: fleet
      password: ${env:SMTP_PASSWORD}
      people: [bob]
    - {name: runs, kind: azure-devops}
    - {name: pager, kind: apprise, url: '${env:PAGER_URL}'}
"""


def read(folder: Path, written: str) -> Settings:
    (folder / "fleetcast.yaml").write_text(written)
    return load_settings(folder)


def test_each_kind_of_channel_is_read_with_the_variables_of_its_secrets(tmp_path: Path) -> None:
    assert read(tmp_path, CHANNELS).notifications.channels == (
        TeamsChannel("operators", "OPERATORS_TEAMS_URL"),
        EmailChannel(
            "duty",
            "smtp.example.com",
            587,
            "fleet@example.com",
            ("duty@example.com", "night@example.com"),
            "fleet",
            "SMTP_PASSWORD",
            people=("bob",),
        ),
        AzureDevOpsChannel("runs"),
        AppriseChannel("pager", "PAGER_URL"),
    )


@pytest.mark.parametrize(("security", "port"), [("starttls", 587), ("tls", 465), ("none", 25)])
def test_each_security_has_its_usual_port(tmp_path: Path, security: str, port: int) -> None:
    written = f"{{name: m, kind: email, host: h, from: a@b, to: [c@d], security: {security}}}"
    (mail,) = read(tmp_path, f"notifications:\n  channels: [{written}]").notifications.channels
    assert isinstance(mail, EmailChannel)
    assert (mail.port, mail.security) == (port, Security(security))


@pytest.mark.parametrize(
    ("channel", "says"),
    [
        ("{name: a, kind: pigeon}", "must be teams or email or azure-devops or apprise"),
        ("{name: a, kind: teams}", "the address is missing"),
        ("{name: a, kind: teams, url: 'https://example.com/hook?sig=abc'}", "is a secret"),
        ("{name: a, kind: teams, url: '${env:1 2}'}", "no name of an environment variable"),
        ("{name: a, kind: teams, url: '${env:A}', host: h}", "has no 'host'"),
        ("{name: a, kind: azure-devops, from: a@b}", "has no 'from'"),
        ("{name: a, kind: email, host: h, from: a@b}", "needs `host`, `from` and `to`"),
        ("{name: a, kind: email, host: h, from: a b, to: [c@d]}", "no mail address"),
        ("{name: a, kind: email, host: h, from: a@b, to: [c@d], port: 0}", "port 0"),
        ("{name: a, kind: email, host: 'h h', from: a@b, to: [c@d]}", "no host"),
        ("{name: a, kind: email, host: h, from: a@b, to: [c@d], user: u}", "belong together"),
        (
            "{name: a, kind: email, host: h, from: a@b, to: [c@d], user: u, password: '${env:P}', security: none}",
            "in the clear",
        ),
        ("{name: a, kind: email, form: a@b}", "did you mean 'from'?"),
    ],
)
def test_a_mistake_in_a_channel_is_said_at_its_line(tmp_path: Path, channel: str, says: str) -> None:
    with pytest.raises(InvalidFleet) as refused:
        read(tmp_path, f"notifications:\n  channels:\n    - {channel}\n")
    assert "fleetcast.yaml:3" in str(refused.value)
    assert says in str(refused.value) + str(refused.value.fix)


def test_a_secret_that_is_written_is_not_repeated(tmp_path: Path) -> None:
    with pytest.raises(InvalidFleet) as refused:
        read(tmp_path, "notifications:\n  channels: [{name: a, kind: teams, url: 'https://x/?sig=abc'}]")
    assert "abc" not in str(refused.value)


def test_two_channels_of_one_name_are_a_mistake(tmp_path: Path) -> None:
    with pytest.raises(InvalidFleet, match="two channels are named 'A'"):
        read(
            tmp_path,
            "notifications:\n  channels: [{name: a, kind: azure-devops}, {name: A, kind: azure-devops}]",
        )


RULES = """\
  routes:
    - {channels: [operators], events: [drift, data-stale], environments: [prod], plants: ['P*'], owners: [ada]}
    - {channels: [duty]}
  time_zone: Europe/Berlin
  quiet_hours:
    - {from: '22:00', to: '06:00', weekdays: [mon, sun]}
  digest: {wait: 1min, daily: '07:30'}
  escalate: [{after: 15min, to: [duty]}, {after: 1h}]
  reminders: {before_lapse: [3h], long_running: 2h}
  runbooks: {rolled-back: 'https://example.com/rolled-back'}
  site: https://fleet.example.com/forecasts/
"""


def test_rules_are_read_with_their_channels(tmp_path: Path) -> None:
    assert read(tmp_path, CHANNELS + RULES).notifications == NotificationSettings(
        channels=read(tmp_path, CHANNELS).notifications.channels,
        routes=(
            Route(
                ("operators",),
                frozenset({EventKind.DRIFT, EventKind.DATA_STALE}),
                frozenset({EnvironmentName.PROD}),
                ("P*",),
                ("ada",),
            ),
            Route(("duty",)),
        ),
        time_zone="Europe/Berlin",
        quiet_hours=(QuietHours(time(22), time(6), frozenset({Weekday.MON, Weekday.SUN})),),
        wait=timedelta(minutes=1),
        daily=time(7, 30),
        escalations=(Escalation(timedelta(minutes=15), ("duty",)), Escalation(timedelta(hours=1))),
        before_lapse=(timedelta(hours=3),),
        long_running=timedelta(hours=2),
        runbooks={EventKind.ROLLED_BACK: "https://example.com/rolled-back"},
        site="https://fleet.example.com/forecasts",
    )


def test_who_writes_channels_alone_gets_all_events_on_each(tmp_path: Path) -> None:
    found = read(tmp_path, CHANNELS).notifications
    assert found == NotificationSettings(found.channels)


@pytest.mark.parametrize(
    ("rule", "says"),
    [
        ("routes: [{channels: [nobody]}]", "there is no channel 'nobody'"),
        ("routes: [{channels: []}]", "leads nowhere"),
        ("routes: [{channels: [runs], events: [drfit]}]", "did you mean 'drift'?"),
        ("routes: [{channels: [runs], environments: [stage]}]", "must be dev or test or prod"),
        ("time_zone: Mars/Olympus", "no time zone 'Mars/Olympus'"),
        ("time_zone: ../etc/passwd", "no time zone"),
        ("quiet_hours: [{from: 22, to: '06:00'}]", "no time of the day"),
        ("quiet_hours: [{from: '24:00', to: '06:00'}]", "no time of the day"),
        ("quiet_hours: [{from: '22:00', to: '06:00', weekdays: [monday]}]", "must be mon"),
        ("digest: {daily: noon}", "no time of the day"),
        ("escalate: [{after: 1h, to: [nobody]}]", "there is no channel 'nobody'"),
        ("escalate: [{after: 2h}, {after: 1h}]", "wrong order"),
        ("runbooks: {drift: ' '}", "no runbook"),
        ("allowed_networks: [8.8.8.0/24]", "8.8.8.0/24 is not a private network"),
        ("site: fleet.example.com", "no address of pages"),
        ("site: 'https://ada:s3cret@fleet.example.com'", "no address of pages"),
        ("site: 'https://fleet.example.com/?token=s3cret'", "no address of pages"),
        ("site: 'javascript:alert(1)'", "no address of pages"),
        ("runbooks: {pigeon: x}", "unknown event 'pigeon'"),
    ],
)
def test_a_mistake_in_a_rule_is_said(tmp_path: Path, rule: str, says: str) -> None:
    with pytest.raises(InvalidFleet, match=r"fleetcast\.yaml:") as refused:
        read(tmp_path, f"{CHANNELS}  {rule}\n")
    assert says in str(refused.value) + str(refused.value.fix)


def test_private_networks_are_reached_only_where_they_are_allowed(tmp_path: Path) -> None:
    assert read(tmp_path, CHANNELS).notifications.outgoing.networks == ()
    allowed = read(tmp_path, f"{CHANNELS}  allowed_networks: [10.20.0.0/16]\n").notifications.outgoing
    assert allowed.networks == (ip_network("10.20.0.0/16"),)
    assert allowed.setting == "notifications.allowed_networks"
