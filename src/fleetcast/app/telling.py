"""Delivering notices: the books, the channels that the settings declare, and what the circuit files say of owners."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from fleetcast.app.books import OpenBooks, open_books
from fleetcast.config.reader import read_fleet
from fleetcast.config.settings_reader import load_settings
from fleetcast.domain.errors import FleetcastError
from fleetcast.domain.outgoing import Outgoing
from fleetcast.domain.settings import ChannelSettings, NotificationSettings
from fleetcast.platforms.channels.opening import open_channel
from fleetcast.ports.channels import Channel, Words
from fleetcast.ports.clock import Clock, SystemClock
from fleetcast.workflows.deliver import DeclaredCircuits, Deliver, OpenChannel
from fleetcast.workflows.notices import TryChannel

Stamp = tuple[tuple[str, int, int], ...]
"""Of each file its name, when it was written, and its size."""


@dataclass(slots=True)
class CircuitsOnDisk:
    """What the circuit files say, read again only after one of them changed."""

    directory: Path
    clock: Clock
    _read: DeclaredCircuits | None = None
    _files: tuple[str, ...] = field(default=())
    _stamp: Stamp = ()

    def __call__(self) -> DeclaredCircuits:
        """As they are now; a repository with mistakes says nothing of owners, and why."""
        if self._read is not None and self._stamp == self._stamped():
            return self._read
        try:
            reading = read_fleet(self.directory, now=self.clock.now())
        except FleetcastError as error:
            self._read = None
            return DeclaredCircuits(unreadable=f"owners are not known: {str(error).splitlines()[0]}")
        self._files = reading.files
        self._stamp = self._stamped()
        circuits = reading.fleet.circuits
        self._read = DeclaredCircuits(
            {circuit.key: circuit.owner for circuit in circuits if circuit.owner},
            {circuit.model_name: circuit.key for circuit in circuits},
        )
        return self._read

    def _stamped(self) -> Stamp:
        found = []
        for name in self._files:
            try:
                stat = (self.directory / name).stat()
            except OSError:
                return ()
            found.append((name, stat.st_mtime_ns, stat.st_size))
        return tuple(found)


@dataclass(frozen=True, slots=True)
class OpenTelling:
    """Notices of one fleet, in one person's name."""

    books: OpenBooks
    directory: Path
    opening: Callable[[ChannelSettings, Outgoing], Channel]
    declared: CircuitsOnDisk
    clock: Clock

    @property
    def delivering(self) -> Deliver:
        """Sending what is new and due, as the settings say now."""
        settings = self._settings
        return Deliver(self.books.control, settings, self._opening(settings), self.declared, self.clock)

    @property
    def trying(self) -> TryChannel:
        """Sending a channel a test."""
        settings = self._settings
        return TryChannel(self.books.control, settings, self._opening(settings), self.clock)

    def _opening(self, settings: NotificationSettings) -> OpenChannel:
        return lambda channel: self.opening(channel, settings.outgoing)

    @property
    def _settings(self) -> NotificationSettings:
        return load_settings(self.directory).notifications


def open_telling(directory: Path, words: Words, clock: Clock | None = None) -> OpenTelling:
    """Open the books of a fleet and the ways to its people; errors as of `open_books`.

    Args:
        directory: The fleet repository.
        words: How messages are put.
        clock: Tells the time.
    """
    clock = clock or SystemClock()
    return OpenTelling(
        open_books(directory, clock),
        directory,
        partial(_opened, clock=clock, words=words),
        CircuitsOnDisk(directory, clock),
        clock,
    )


def _opened(channel: ChannelSettings, outgoing: Outgoing, clock: Clock, words: Words) -> Channel:
    return open_channel(channel, os.environ, clock, words, outgoing)
