"""Which channels a notice goes to."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime

from fleetcast.domain.identity import Digest
from fleetcast.domain.letter import Routed
from fleetcast.domain.notice import PAGES, EventKind, Notice
from fleetcast.domain.people import Directory, folded
from fleetcast.domain.settings.notifications import ChannelSettings, NotificationSettings

Reaches = Callable[[ChannelSettings], frozenset[str]]
"""The names, folded, of the people that a channel reaches; empty: a room that is open to whoever is in it."""


def channels_for(notice: Notice, settings: NotificationSettings, reaches: Reaches) -> tuple[str, ...]:
    """The channels that a notice goes to, each once, in the order of the settings.

    All routes that take it count. A page that none takes goes everywhere, and so does the news that a channel is gone,
    but for that channel itself, and that something starts by itself no more. A notice that is for certain people goes
    to the channels that reach one of them; to rooms that are open to others only where one of them is reached by
    nothing else.
    """
    channels = settings.channels
    if notice.kind is EventKind.CHANNEL_DISABLED:
        gone = {fact.value for fact in notice.facts if fact.name == "channel"}
        channels = tuple(channel for channel in channels if channel.name not in gone)
    routes = [route for route in settings.routes if route.takes(notice)]
    if settings.routes and (routes or notice.kind not in _ALONE):
        named = {name for route in routes for name in route.channels}
        channels = tuple(channel for channel in channels if channel.name in named)
    if notice.people:
        channels = _for_people(channels, frozenset(map(folded, notice.people)), reaches)
    return tuple(channel.name for channel in channels)


def reached(directory: Directory) -> Reaches:
    """Who is reached by a channel, by the people and groups on record; a name that nobody has stands for itself."""

    def names(channel: ChannelSettings) -> frozenset[str]:
        found: set[str] = set()
        for name in channel.people:
            ids = directory.humans_and_services([name])
            found |= {folded(person.name) for person in directory.people if person.id in ids} or {
                folded(name)
            }
        return frozenset(found)

    return names


def _for_people(
    channels: Sequence[ChannelSettings], wanted: frozenset[str], reaches: Reaches
) -> tuple[ChannelSettings, ...]:
    by_channel = {channel.name: reaches(channel) for channel in channels}
    own = {name for name, people in by_channel.items() if people & wanted}
    covered = wanted <= frozenset().union(*(by_channel[name] for name in own))
    return tuple(
        channel
        for channel in channels
        if channel.name in own or (not by_channel[channel.name] and not covered)
    )


def routed(
    notice: Notice, run: str, settings: NotificationSettings, reaches: Reaches, now: datetime
) -> tuple[Routed, ...]:
    """A notice on its way: to which channels, together with what, and when at the latest.

    Args:
        notice: What happened.
        run: The run that was under way then; empty: none.
        settings: Who is told what, when.
        reaches: Whom channels reach.
        now: Aware UTC.
    """
    key, due = _digest(notice, run, settings, now)
    return tuple(Routed(name, notice, key, due) for name in channels_for(notice, settings, reaches))


def _digest(notice: Notice, run: str, settings: NotificationSettings, now: datetime) -> tuple[str, datetime]:
    """With what a notice is sent, and when; what somebody has to answer or to act on waits for no daily digest."""
    if notice.kind in _ALONE:
        return "", now
    if notice.kind in _ANSWERED:
        return f"approvals/{_short(';'.join(notice.people))}", now + settings.wait
    daily = settings.next_daily(now)
    if run and notice.kind in _OF_RUNS:
        # A run that dies never ends: what it did is told all the same.
        return f"{run}/{_short(notice.owner or '')}", daily or now + settings.long_running
    return f"soon/{_short(notice.owner or '')}", daily or now + settings.wait


_ALONE = frozenset({*PAGES, EventKind.CHANNEL_DISABLED, EventKind.SCHEDULE_FAILED})
"""Each by itself, at once, and to everybody rather than to nobody; but for pages, quiet hours hold it."""
_ANSWERED = frozenset({EventKind.APPROVAL_REQUIRED, EventKind.APPROVAL_EXPIRING})
_OF_RUNS = frozenset({EventKind.TRAINING_COMPLETED, EventKind.TRAINING_FAILED})


def _short(text: str) -> str:
    return Digest.of(text.encode()).hex[:16]
