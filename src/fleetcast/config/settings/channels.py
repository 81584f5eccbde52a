"""`notifications:` in `fleetcast.yaml`."""

from __future__ import annotations

from fleetcast.config.complaints import looks_like
from fleetcast.config.settings.settings_file import SettingsFile
from fleetcast.config.written import Identifier, Written
from fleetcast.domain.errors import BadInput
from fleetcast.domain.settings import Channel


class ChannelWritten(Written):
    """One entry of `notifications.channels:`."""

    name: Identifier
    kind: Identifier


class NotificationsWritten(Written):
    """`notifications:`."""

    channels: list[ChannelWritten]


def read_channels(written: NotificationsWritten | None, file: SettingsFile) -> tuple[Channel, ...]:
    """The channels in the order they are written; no two look alike."""
    channels: dict[str, Channel] = {}
    for entry in written.channels if written else ():
        if looks_like(entry.name) in channels:
            error = BadInput(f"two channels are named {entry.name!r}", fix="rename one of the two")
            file.refuse(error, "notifications", "channels")
        channels[looks_like(entry.name)] = Channel(entry.name, entry.kind)
    return tuple(channels.values())
