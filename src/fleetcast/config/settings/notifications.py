"""`notifications:` in `fleetcast.yaml`."""

from __future__ import annotations

import re
from dataclasses import replace
from types import MappingProxyType
from typing import Annotated

from pydantic import AfterValidator, Field, PlainValidator, model_validator

from fleetcast.config import scalars
from fleetcast.config.complaints import looks_like, nearest, shown
from fleetcast.config.scalars import Refused
from fleetcast.config.settings.settings_file import SettingsFile
from fleetcast.config.written import Duration, Identifier, Text, Whole, Written, judged
from fleetcast.domain.errors import BadInput
from fleetcast.domain.notice import EventKind
from fleetcast.domain.outgoing import network_of
from fleetcast.domain.place import EnvironmentName
from fleetcast.domain.settings.notifications import (
    AppriseChannel,
    AzureDevOpsChannel,
    ChannelKind,
    ChannelSettings,
    EmailChannel,
    Escalation,
    NotificationSettings,
    QuietHours,
    Route,
    Security,
    TeamsChannel,
    Weekday,
    checked_address,
    checked_runbook,
    checked_site,
    checked_time,
    checked_variable,
)

_REFERENCE = re.compile(r"\$\{env:([^{}]*)\}")
_PORTS = {Security.STARTTLS: 587, Security.TLS: 465, Security.NONE: 25}
_FIELDS = {
    ChannelKind.TEAMS: frozenset({"url"}),
    ChannelKind.EMAIL: frozenset({"host", "port", "sender", "to", "user", "password", "security"}),
    ChannelKind.AZURE_DEVOPS: frozenset[str](),
    ChannelKind.APPRISE: frozenset({"url"}),
}
_EVERY_KIND = frozenset({"name", "kind", "people"})


def _reference(value: object) -> str:
    """The variable that `${env:NAME}` names; what else is written may be a secret, and is not repeated."""
    found = _REFERENCE.fullmatch(scalars.text(value))
    if found is None:
        raise Refused(
            "is a secret, which is never written in a file",
            "write '${env:NAME}' with the name of an environment variable that holds it",
        )
    scalars.said_by_domain(checked_variable, found[1])
    return found[1]


Secret = Annotated[str, PlainValidator(_reference)]
Address = Annotated[Text, judged(checked_address)]


class ChannelWritten(Written):
    """One entry of `notifications.channels:`."""

    name: Identifier
    kind: Annotated[str, PlainValidator(scalars.one_of(*(kind.value for kind in ChannelKind)))]
    people: list[Text] | None = None
    url: Secret | None = None
    host: Text | None = None
    port: Whole | None = None
    sender: Annotated[Address | None, Field(alias="from")] = None
    to: list[Address] | None = None
    user: Text | None = None
    password: Secret | None = None
    security: Annotated[str, PlainValidator(scalars.one_of(*(way.value for way in Security)))] | None = None

    @model_validator(mode="after")
    def _whole(self) -> ChannelWritten:
        scalars.said_by_domain(lambda written: written.settings, self)
        return self

    @property
    def settings(self) -> ChannelSettings:
        """The channel.

        Raises:
            BadInput: Something is missing, does not fit its kind, or does not fit together.
        """
        kind, people = ChannelKind(self.kind), tuple(self.people or ())
        if odd := self.model_fields_set - _FIELDS[kind] - _EVERY_KIND:
            names = sorted("from" if name == "sender" else name for name in odd)
            raise BadInput(f"a channel of kind {kind} has no {names[0]!r}", fix="take it out")
        match kind:
            case ChannelKind.TEAMS:
                return TeamsChannel(self.name, self._url, people)
            case ChannelKind.APPRISE:
                return AppriseChannel(self.name, self._url, people)
            case ChannelKind.AZURE_DEVOPS:
                return AzureDevOpsChannel(self.name, people)
            case ChannelKind.EMAIL:
                if self.host is None or self.sender is None or not self.to:
                    raise BadInput("mail needs `host`, `from` and `to`", fix="write what is missing")
                security = Security(self.security or Security.STARTTLS)
                return EmailChannel(
                    self.name,
                    self.host,
                    _PORTS[security] if self.port is None else self.port,
                    self.sender,
                    tuple(self.to),
                    self.user or "",
                    self.password or "",
                    security,
                    people,
                )

    @property
    def _url(self) -> str:
        if self.url is None:
            raise BadInput(
                "the address is missing",
                fix="write `url: '${env:NAME}'` with the name of an environment variable that holds it",
            )
        return self.url


def _names(*known: str) -> PlainValidator:
    return PlainValidator(scalars.one_of(*known))


def _event(name: str) -> str:
    known = [kind.value for kind in EventKind]
    if name not in known:
        raise Refused(f"unknown event {shown(name)}", nearest(name, known))
    return name


Event = Annotated[Text, AfterValidator(_event)]
EventKey = Annotated[str, AfterValidator(_event)]
Environment = Annotated[str, _names(*(name.value for name in EnvironmentName))]
Day = Annotated[str, _names(*(day.value for day in Weekday))]
Clock = Annotated[Text, judged(checked_time)]


class RouteWritten(Written):
    """One entry of `notifications.routes:`."""

    channels: list[Text]
    events: list[Event] | None = None
    environments: list[Environment] | None = None
    plants: list[Text] | None = None
    owners: list[Text] | None = None

    @model_validator(mode="after")
    def _whole(self) -> RouteWritten:
        scalars.said_by_domain(lambda written: written.route, self)
        return self

    @property
    def route(self) -> Route:
        """Which notices go where."""
        return Route(
            tuple(self.channels),
            frozenset(EventKind(kind) for kind in self.events or ()),
            frozenset(EnvironmentName(name) for name in self.environments or ()),
            tuple(self.plants or ()),
            tuple(self.owners or ()),
        )


class QuietHoursWritten(Written):
    """One entry of `notifications.quiet_hours:`."""

    start: Annotated[Clock, Field(alias="from")]
    to: Clock
    weekdays: list[Day] | None = None

    @property
    def hours(self) -> QuietHours:
        """When only pages are sent."""
        days = frozenset(Weekday) if self.weekdays is None else frozenset(map(Weekday, self.weekdays))
        return QuietHours(checked_time(self.start), checked_time(self.to), days)


class DigestWritten(Written):
    """`notifications.digest:`."""

    wait: Duration | None = None
    daily: Clock | None = None


class EscalationWritten(Written):
    """One entry of `notifications.escalate:`."""

    after: Duration
    to: list[Text] | None = None


class RemindersWritten(Written):
    """`notifications.reminders:`."""

    before_lapse: list[Duration] | None = None
    long_running: Duration | None = None


class NotificationsWritten(Written):
    """`notifications:`."""

    channels: list[ChannelWritten]
    routes: list[RouteWritten] | None = None
    time_zone: Text | None = None
    quiet_hours: list[QuietHoursWritten] | None = None
    digest: DigestWritten | None = None
    escalate: list[EscalationWritten] | None = None
    reminders: RemindersWritten | None = None
    runbooks: dict[EventKey, Annotated[Text, judged(checked_runbook)]] | None = None
    allowed_networks: list[Annotated[Text, judged(network_of)]] | None = None
    site: Annotated[Text, judged(checked_site)] | None = None


def read_notifications(written: NotificationsWritten | None, file: SettingsFile) -> NotificationSettings:
    """Who is told what; nobody where nothing is written or could be read."""
    if written is None:
        return NotificationSettings()
    plain = NotificationSettings()
    channels = _channels(written, file)
    digest, reminders = written.digest or DigestWritten(), written.reminders or RemindersWritten()
    try:
        return NotificationSettings(
            channels,
            tuple(route.route for route in written.routes or ()),
            written.time_zone or plain.time_zone,
            tuple(entry.hours for entry in written.quiet_hours or ()),
            digest.wait or plain.wait,
            None if digest.daily is None else checked_time(digest.daily),
            plain.escalations
            if written.escalate is None
            else tuple(Escalation(step.after, tuple(step.to or ())) for step in written.escalate),
            plain.before_lapse if reminders.before_lapse is None else tuple(reminders.before_lapse),
            reminders.long_running or plain.long_running,
            MappingProxyType({EventKind(kind): says for kind, says in (written.runbooks or {}).items()}),
            replace(
                plain.outgoing,
                networks=tuple(network_of(network) for network in written.allowed_networks or ()),
            ),
            checked_site(written.site) if written.site else "",
        )
    except BadInput as error:
        file.refuse(error, "notifications")
        return plain


def _channels(written: NotificationsWritten, file: SettingsFile) -> tuple[ChannelSettings, ...]:
    """The channels in the order they are written; no two look alike."""
    channels: dict[str, ChannelSettings] = {}
    for entry in written.channels:
        if looks_like(entry.name) in channels:
            error = BadInput(f"two channels are named {entry.name!r}", fix="rename one of the two")
            file.refuse(error, "notifications", "channels")
        channels[looks_like(entry.name)] = entry.settings
    return tuple(channels.values())
