"""`fleetcast.yaml` alone: most commands need no circuits, and wait for nothing that reads them."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from pathlib import Path

from fleetcast.config.complaints import Complaints
from fleetcast.config.find_fleet import check_is_fleet
from fleetcast.config.layers import Origin
from fleetcast.config.paths import is_inside
from fleetcast.config.settings import SETTINGS_FILE, read_settings
from fleetcast.config.yaml_nodes import Node, line_at
from fleetcast.config.yaml_reader import read_yaml
from fleetcast.domain.settings import Settings

_log = logging.getLogger("fleetcast.steps")

_HOLDS = "the settings of the fleet"


@dataclass(frozen=True, slots=True)
class SettingsReading:
    """The settings of a fleet, and where they are written."""

    settings: Settings
    _written: Node | None

    def setting(self, *path: str) -> Origin | None:
        """Where `fleetcast.yaml` writes a setting of the fleet; None if it does not."""
        line = line_at(self._written, *path)
        return None if line is None else Origin(SETTINGS_FILE, line)


def read_settings_file(directory: Path) -> SettingsReading:
    """Read `fleetcast.yaml` alone, whatever state the other files are in.

    Raises:
        InvalidFleet: It is missing, or with every mistake in it.
        NoFleet: There is no fleet in the directory.
    """
    check_is_fleet(directory)
    complaints = Complaints()
    node = required(directory, SETTINGS_FILE, _HOLDS, complaints)
    settings = read_settings(node, directory, complaints)
    complaints.raise_any()
    return SettingsReading(settings, node)


def load_settings(directory: Path) -> Settings:
    """What `fleetcast.yaml` says; errors as of `read_settings_file`."""
    return read_settings_file(directory).settings


def required(directory: Path, file: str, holds: str, complaints: Complaints) -> Node | None:
    """What a file that every fleet has says; what is wrong with it is a complaint.

    Args:
        directory: The fleet repository.
        file: Below it.
        holds: In a few words.
        complaints: What is wrong is added here.
    """
    if not (directory / file).exists():
        complaints.add(file, None, "is missing", f"`fleetcast init` writes it: {holds}")
        return None
    before = len(complaints)
    node = node_of(directory, file, complaints)
    if node is None and len(complaints) == before and file != SETTINGS_FILE:
        complaints.add(file, None, "is empty", f"it holds {holds}")
    return node


def node_of(directory: Path, file: str, complaints: Complaints) -> Node | None:
    """What a file says; what is wrong with it is a complaint."""
    if not is_inside(directory, directory / file):
        complaints.add(file, None, "is a link that leaves the fleet directory", "put the file itself here")
        return None
    _log.debug("reads %s", directory / file)
    return read_yaml(directory / file, file, complaints)
