"""`notifications:` in `fleetcast.yaml`."""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import Field, PlainValidator, model_validator

from fleetcast.config import scalars
from fleetcast.config.complaints import looks_like
from fleetcast.config.scalars import Refused
from fleetcast.config.settings.settings_file import SettingsFile
from fleetcast.config.written import Identifier, Text, Whole, Written, judged
from fleetcast.domain.errors import BadInput
from fleetcast.domain.settings.notifications import (
    AppriseChannel,
    AzureDevOpsChannel,
    ChannelKind,
    ChannelSettings,
    EmailChannel,
    Security,
    TeamsChannel,
    checked_address,
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


class NotificationsWritten(Written):
    """`notifications:`."""

    channels: list[ChannelWritten]


def read_channels(written: NotificationsWritten | None, file: SettingsFile) -> tuple[ChannelSettings, ...]:
    """The channels in the order they are written; no two look alike."""
    channels: dict[str, ChannelSettings] = {}
    for entry in written.channels if written else ():
        if looks_like(entry.name) in channels:
            error = BadInput(f"two channels are named {entry.name!r}", fix="rename one of the two")
            file.refuse(error, "notifications", "channels")
        channels[looks_like(entry.name)] = entry.settings
    return tuple(channels.values())
