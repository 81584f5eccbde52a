"""Who is told what, by which way."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, time, timedelta
from enum import StrEnum
from fnmatch import fnmatchcase
from types import MappingProxyType
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from fleetcast.domain.errors import BadInput
from fleetcast.domain.identity import checked_id
from fleetcast.domain.notice import EventKind, Notice
from fleetcast.domain.outgoing import Outgoing
from fleetcast.domain.place import EnvironmentName

_PUBLIC = Outgoing(setting="notifications.allowed_networks")
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,127}")
_HOST = re.compile(r"[A-Za-z0-9]([A-Za-z0-9.-]{0,251}[A-Za-z0-9])?")
_TIME = re.compile(r"([01][0-9]|2[0-3]):[0-5][0-9]")
_ADDRESS = re.compile(r"[^\s@<>,;\"\\()\[\]]{1,64}@[A-Za-z0-9]([A-Za-z0-9.-]{0,251}[A-Za-z0-9])?")


class ChannelKind(StrEnum):
    """By what a channel reaches people."""

    TEAMS = "teams"
    """A webhook of a workflow in Microsoft Teams."""
    EMAIL = "email"
    AZURE_DEVOPS = "azure-devops"
    """The run of Azure DevOps that fleetcast works in: its log, its summary and its timeline."""
    APPRISE = "apprise"
    """Whatever the library Apprise reaches: Slack, PagerDuty, a pager …"""


class Security(StrEnum):
    """How a mail server is spoken to."""

    STARTTLS = "starttls"
    TLS = "tls"
    """From the first byte on."""
    NONE = "none"
    """In the clear, which everybody on the way can read: for a relay on this machine."""


@dataclass(frozen=True, slots=True)
class TeamsChannel:
    """A chat or a channel of Teams, by the webhook of a workflow."""

    name: str
    url_variable: str
    """Environment variable with the address, which is a secret; never a setting."""
    people: tuple[str, ...] = ()
    """Names of the people and groups that it reaches; empty: a room that is open to whoever is in it."""

    def __post_init__(self) -> None:
        checked_id("channel", self.name)
        checked_variable(self.url_variable)

    @property
    def kind(self) -> ChannelKind:
        """By what it reaches people."""
        return ChannelKind.TEAMS


@dataclass(frozen=True, slots=True)
class EmailChannel:
    """Mail to a few addresses."""

    name: str
    host: str
    port: int
    sender: str
    to: tuple[str, ...]
    user: str = ""
    """Empty: the server asks for none."""
    password_variable: str = ""
    """Environment variable with the user's password; never a setting. Empty where there is no user."""
    security: Security = Security.STARTTLS
    people: tuple[str, ...] = ()
    """Names of the people and groups that it reaches; empty: whoever reads there."""

    def __post_init__(self) -> None:
        checked_id("channel", self.name)
        if not _HOST.fullmatch(self.host):
            raise BadInput(f"{self.host[:60]!r} is no host", fix="write its name alone: smtp.example.com")
        if not 1 <= self.port <= 65535:
            raise BadInput(f"port {self.port} does not exist", fix="write 1 to 65535; 587 is usual")
        if not self.to:
            raise BadInput("nobody is written to", fix="write at least one address below `to`")
        for address in (self.sender, *self.to):
            checked_address(address)
        if self.user and (not self.user.isprintable() or len(self.user) > 200):
            raise BadInput("this is no user of a mail server", fix="write up to 200 printable letters")
        if bool(self.user) != bool(self.password_variable):
            raise BadInput(
                "a user and a password belong together", fix="write both `user` and `password`, or neither"
            )
        if self.password_variable:
            checked_variable(self.password_variable)
            if self.security is Security.NONE:
                raise BadInput(
                    "a password would be sent in the clear",
                    fix="write `security: starttls` or `security: tls`, or leave out user and password",
                )

    @property
    def kind(self) -> ChannelKind:
        """By what it reaches people."""
        return ChannelKind.EMAIL


@dataclass(frozen=True, slots=True)
class AzureDevOpsChannel:
    """The run of Azure DevOps that fleetcast works in; elsewhere it reaches nobody."""

    name: str
    people: tuple[str, ...] = ()
    """Names of the people and groups that it reaches; empty: whoever looks at the run."""

    def __post_init__(self) -> None:
        checked_id("channel", self.name)

    @property
    def kind(self) -> ChannelKind:
        """By what it reaches people."""
        return ChannelKind.AZURE_DEVOPS


@dataclass(frozen=True, slots=True)
class AppriseChannel:
    """Whatever one URL of Apprise reaches."""

    name: str
    url_variable: str
    """Environment variable with the URL, which holds secrets; never a setting."""
    people: tuple[str, ...] = ()
    """Names of the people and groups that it reaches; empty: whoever is there."""

    def __post_init__(self) -> None:
        checked_id("channel", self.name)
        checked_variable(self.url_variable)

    @property
    def kind(self) -> ChannelKind:
        """By what it reaches people."""
        return ChannelKind.APPRISE


ChannelSettings = TeamsChannel | EmailChannel | AzureDevOpsChannel | AppriseChannel


def checked_variable(name: str) -> str:
    """The name of an environment variable; raises `BadInput`, which does not repeat what may be a secret."""
    if not _VARIABLE.fullmatch(name):
        raise BadInput(
            "this is no name of an environment variable",
            fix="write letters, digits and _, no digit first: OPERATORS_TEAMS_URL",
        )
    return name


def checked_address(address: str) -> str:
    """A plain mail address; raises `BadInput`."""
    if not address.isprintable() or not _ADDRESS.fullmatch(address) or ".." in address:
        raise BadInput(f"{address[:80]!r} is no mail address", fix="write it alone: operators@example.com")
    return address


class Weekday(StrEnum):
    """A day of the week, as people write it."""

    MON = "mon"
    TUE = "tue"
    WED = "wed"
    THU = "thu"
    FRI = "fri"
    SAT = "sat"
    SUN = "sun"


@dataclass(frozen=True, slots=True)
class Route:
    """Which notices go to which channels; what is empty takes any, and of what is named one has to fit."""

    channels: tuple[str, ...]
    events: frozenset[EventKind] = frozenset()
    environments: frozenset[EnvironmentName] = frozenset()
    plants: tuple[str, ...] = ()
    """Names, or patterns of them: `PLANT0*`."""
    owners: tuple[str, ...] = ()
    """The same of the owners of circuits."""

    def __post_init__(self) -> None:
        if not self.channels:
            raise BadInput("the route leads nowhere", fix="name at least one channel below `channels`")

    def takes(self, notice: Notice) -> bool:
        """Whether a notice goes this way; one that names no plant fits no route that does, and so on."""
        return (
            (not self.events or notice.kind in self.events)
            and (not self.environments or notice.environment in self.environments)
            and _fits(notice.plant, self.plants)
            and _fits(notice.owner, self.owners)
        )


@dataclass(frozen=True, slots=True)
class QuietHours:
    """A time of the day in which only pages are sent; by the clocks of a place, whatever they do in spring."""

    start: time
    end: time
    """Not after `start`: of the next day; the same: a whole day."""
    days: frozenset[Weekday] = frozenset(Weekday)
    """On which it begins."""

    def covers(self, local: datetime) -> bool:
        """Whether it is quiet, by the local clock."""
        today, before = _day(local), _day(local - timedelta(days=1))
        at = local.time().replace(tzinfo=None)
        if self.start < self.end:
            return today in self.days and self.start <= at < self.end
        return (today in self.days and at >= self.start) or (before in self.days and at < self.end)


@dataclass(frozen=True, slots=True)
class Escalation:
    """Whom a page goes to that nobody has acknowledged for so long."""

    after: timedelta
    channels: tuple[str, ...] = ()
    """Empty: every channel."""


@dataclass(frozen=True, slots=True)
class NotificationSettings:
    """Who is told what, when."""

    channels: tuple[ChannelSettings, ...] = ()
    """None: nothing is told, nor kept to be told."""
    routes: tuple[Route, ...] = ()
    """A notice goes to the channels of all that take it; none are set up: everything goes to every channel."""
    time_zone: str = "UTC"
    """IANA name, of quiet hours and of the daily digest."""
    quiet_hours: tuple[QuietHours, ...] = ()
    wait: timedelta = timedelta(minutes=5)
    """For how long what belongs to no run is gathered before it is sent."""
    daily: time | None = None
    """When all that waits for nobody's answer is sent; None: soon, or when its run ends."""
    escalations: tuple[Escalation, ...] = (Escalation(timedelta(minutes=30)),)
    """In the order of their times."""
    before_lapse: tuple[timedelta, ...] = (timedelta(hours=24), timedelta(hours=2))
    """How long before a request lapses those who can decide are reminded."""
    long_running: timedelta = timedelta(hours=4)
    """How often people are told of training that goes on."""
    runbooks: Mapping[EventKind, str] = field(default_factory=lambda: MappingProxyType({}))
    """What to do, by URL or page, in place of the documents of fleetcast."""
    outgoing: Outgoing = _PUBLIC
    """Where channels may lead: to public addresses, and to the private networks that are allowed."""
    site: str = ""
    """Where people find the pages of `fleetcast web`, without a slash at the end; empty: nothing leads there."""

    def __post_init__(self) -> None:
        if self.site:
            checked_site(self.site)
        try:
            ZoneInfo(self.time_zone)
        except (ZoneInfoNotFoundError, ValueError, OSError):
            raise BadInput(
                f"there is no time zone {self.time_zone[:60]!r}", fix="write its IANA name: Europe/Berlin"
            ) from None
        known = {channel.name for channel in self.channels}
        named = [name for route in self.routes for name in route.channels]
        named += [name for escalation in self.escalations for name in escalation.channels]
        for name in named:
            if name not in known:
                raise BadInput(
                    f"there is no channel {name!r}", fix=f"known are {', '.join(sorted(known)) or 'none'}"
                )
        times = [escalation.after for escalation in self.escalations]
        if times != sorted(set(times)):
            raise BadInput("two escalations come in the wrong order", fix="write the earliest first")

    def is_quiet(self, now: datetime) -> bool:
        """Whether only pages are sent at this moment."""
        local = now.astimezone(ZoneInfo(self.time_zone))
        return any(hours.covers(local) for hours in self.quiet_hours)

    def next_daily(self, now: datetime) -> datetime | None:
        """When the daily digest is due that comes after this moment, in UTC; None: there is none.

        A time that the clocks skip in spring is taken as of before they did.
        """
        if self.daily is None:
            return None
        zone = ZoneInfo(self.time_zone)
        day = now.astimezone(zone).date()
        for later in range(3):
            due = datetime.combine(day + timedelta(days=later), self.daily, zone).astimezone(UTC)
            if due > now:
                return due
        raise AssertionError("a day of every place has its times")

    def channel(self, name: str) -> ChannelSettings:
        """The channel of this name.

        Raises:
            BadInput: There is none.
        """
        for channel in self.channels:
            if channel.name == name:
                return channel
        known = ", ".join(channel.name for channel in self.channels)
        raise BadInput(
            f"there is no channel {name!r}",
            fix=f"known are {known}" if known else "write one below `notifications.channels`",
        )


def checked_time(text: str) -> time:
    """A time of the day, as people write it.

    Raises:
        BadInput: It is none.
    """
    if not _TIME.fullmatch(text):
        raise BadInput(f"{text[:20]!r} is no time of the day", fix="write it in quotes: '22:00'")
    return time.fromisoformat(text)


def checked_runbook(text: str) -> str:
    """Where it says what to do, if that can be shown on a line; raises `BadInput`."""
    if not text.strip() or not text.isprintable() or len(text) > 500:
        raise BadInput("this is no runbook", fix="write a URL, or the path of a document")
    return text


def checked_site(text: str) -> str:
    """The address of pages, if a link can begin with it; raises `BadInput`."""
    parts = urlsplit(text)
    whole = parts.scheme in ("http", "https") and parts.hostname and not (parts.query or parts.fragment)
    if not whole or parts.username or len(text) > 500 or not text.isprintable() or " " in text:
        raise BadInput("this is no address of pages", fix="write it as in https://fleet.example.com")
    return text.rstrip("/")


def _day(local: datetime) -> Weekday:
    return tuple(Weekday)[local.weekday()]


def _fits(name: str | None, patterns: tuple[str, ...]) -> bool:
    if not patterns:
        return True
    return name is not None and any(fnmatchcase(name, pattern) for pattern in patterns)
