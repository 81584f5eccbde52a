"""A fleet repository in, a `Fleet` out, or every mistake in it at once."""

from __future__ import annotations

import gc
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from fleetcast.config.assets import COMPONENT_FILE, ENVIRONMENT_FILE, read_component, read_environment
from fleetcast.config.circuit_files import MAIN_FILE, CircuitFinder
from fleetcast.config.circuits import CircuitResolver
from fleetcast.config.complaints import Complaints
from fleetcast.config.layers import Chain, Origin, origin, stated
from fleetcast.config.not_used_yet import UnusedSetting, unused_settings
from fleetcast.config.paths import is_inside
from fleetcast.config.settings import SETTINGS_FILE, read_settings
from fleetcast.config.yaml_nodes import Node, line_at
from fleetcast.config.yaml_reader import read_yaml
from fleetcast.domain.errors import BadInput
from fleetcast.domain.fleet import Fleet
from fleetcast.domain.identity import CircuitKey
from fleetcast.domain.place import EnvironmentName
from fleetcast.domain.settings import Settings

CIRCUITS_FOLDER = "config/circuits"
_WRITES = {
    SETTINGS_FILE: "the settings of the fleet",
    MAIN_FILE: "the circuits and their defaults",
    ENVIRONMENT_FILE: "the training environment",
    COMPONENT_FILE: "the training component",
}


@dataclass(frozen=True, slots=True)
class SettingsReading:
    """The settings of a fleet, and where they are written."""

    settings: Settings
    _written: Node | None

    def setting(self, *path: str) -> Origin | None:
        """Where `fleetcast.yaml` writes a setting of the fleet; None if it does not."""
        line = line_at(self._written, *path)
        return None if line is None else Origin(SETTINGS_FILE, line)


@dataclass(frozen=True, slots=True)
class FleetReading:
    """A valid fleet, and where its settings are written."""

    fleet: Fleet
    unused: tuple[UnusedSetting, ...]
    """What `fleetcast.yaml` writes and nothing uses yet."""
    files: tuple[str, ...]
    """Every file that was read, as paths below the fleet's directory."""
    _chains: Mapping[CircuitKey, Chain]
    _settings: Node | None

    def setting(self, *path: str) -> Origin | None:
        """Where `fleetcast.yaml` writes a setting of the fleet; None if it does not."""
        return SettingsReading(self.fleet.settings, self._settings).setting(*path)

    def origin(self, key: CircuitKey, setting: str) -> Origin:
        """Where a setting of a circuit comes from; the circuit itself if it is written nowhere."""
        return origin(self._chains[key], setting)

    def deciding_files(self) -> Mapping[CircuitKey, tuple[str, ...]]:
        """The files that decide what each circuit is: those of its declaration and its defaults, and the settings.

        It keeps nothing else of what was read: of ten thousand circuits that is as much as their fleet.
        """
        same: dict[tuple[str, ...], tuple[str, ...]] = {}
        found = {}
        for key, chain in self._chains.items():
            files = tuple(dict.fromkeys([*(layer.file for layer in chain), SETTINGS_FILE]))
            found[key] = same.setdefault(files, files)
        return found

    def stated(self, key: CircuitKey, *path: str) -> Origin | None:
        """Where a setting of a circuit, or a key inside it, is written; None if it is a default of fleetcast."""
        return stated(self._chains[key], *path)


def load_fleet(directory: Path, *, now: datetime) -> Fleet:
    """Read and validate a whole fleet repository.

    Args:
        directory: The root of the repository.
        now: The present, aware; no circuit may train on what comes after it.

    Raises:
        InvalidFleet: With every mistake that was found.
        BadInput: There is no such directory.
    """
    return read_fleet(directory, now=now).fleet


def read_fleet(directory: Path, *, now: datetime) -> FleetReading:
    """Read and validate a whole fleet repository, and keep where its settings come from.

    Raises:
        InvalidFleet: With every mistake that was found.
        BadInput: There is no such directory.
    """
    _check_directory(directory)
    with _without_garbage_collection():
        return _read(directory, now)


def read_settings_file(directory: Path) -> SettingsReading:
    """Read `fleetcast.yaml` alone, whatever state the other files are in.

    Raises:
        InvalidFleet: It is missing, or with every mistake in it.
        BadInput: There is no such directory.
    """
    _check_directory(directory)
    complaints = Complaints()
    node = _required(directory, SETTINGS_FILE, complaints)
    settings = read_settings(node, directory, complaints)
    complaints.raise_any()
    return SettingsReading(settings, node)


def load_settings(directory: Path) -> Settings:
    """Read `fleetcast.yaml` alone; the defaults where there is none.

    Raises:
        InvalidFleet: With every mistake in that file.
    """
    complaints = Complaints()
    node = _node(directory, SETTINGS_FILE, complaints) if (directory / SETTINGS_FILE).exists() else None
    settings = read_settings(node, directory, complaints)
    complaints.raise_any()
    return settings


def _check_directory(directory: Path) -> None:
    if not directory.is_dir():
        raise BadInput(
            f"there is no directory {directory}", fix=f"run `fleetcast init {directory}` to write a fleet"
        )


def _read(directory: Path, now: datetime) -> FleetReading:
    complaints = Complaints()
    root = _required(directory, SETTINGS_FILE, complaints)
    settings = read_settings(root, directory, complaints)
    environment = read_environment(_required(directory, ENVIRONMENT_FILE, complaints), complaints)
    component = read_component(_required(directory, COMPONENT_FILE, complaints), complaints)
    finder = CircuitFinder(complaints)
    files = [SETTINGS_FILE, ENVIRONMENT_FILE, COMPONENT_FILE]
    for file, node in _circuit_nodes(directory, complaints):
        files.append(file)
        finder.read(file, node)
    resolver = CircuitResolver(
        complaints,
        base=settings.environments[EnvironmentName.DEV].thresholds,
        data_sources=settings.data_sources,
        now=now,
    )
    circuits, chains = resolver.resolve(finder)
    if not circuits and not complaints:
        complaints.add(MAIN_FILE, None, "declares no circuits", "write one below `plants:` or `circuits:`")
    complaints.raise_any()
    if environment is None or component is None:
        raise BadInput(
            "the training environment or component is empty", fix="write it as `fleetcast init` does"
        )
    return FleetReading(
        Fleet(settings, circuits, environment, component), unused_settings(root), tuple(files), chains, root
    )


def circuit_nodes(directory: Path) -> Sequence[tuple[str, Node | None]]:
    """The circuit files of a fleet repository as they are written, by name.

    Raises:
        InvalidFleet: One cannot be read.
    """
    complaints = Complaints()
    nodes = list(_circuit_nodes(directory, complaints))
    complaints.raise_any()
    return nodes


def _circuit_nodes(directory: Path, complaints: Complaints) -> Iterator[tuple[str, Node | None]]:
    more = _more_circuit_files(directory, complaints)
    if (directory / MAIN_FILE).exists() or not more:
        yield MAIN_FILE, _required(directory, MAIN_FILE, complaints)
    for file in more:
        yield file, _node(directory, file, complaints)


def _required(directory: Path, file: str, complaints: Complaints) -> Node | None:
    if not (directory / file).is_file():
        fix = f"`fleetcast init` writes it: {_WRITES[file]}"
        complaints.add(file, None, "is missing", fix)
        return None
    before = len(complaints)
    node = _node(directory, file, complaints)
    if node is None and len(complaints) == before and file != SETTINGS_FILE:
        complaints.add(file, None, "is empty", f"it holds {_WRITES[file]}")
    return node


def _node(directory: Path, file: str, complaints: Complaints) -> Node | None:
    if not is_inside(directory, directory / file):
        complaints.add(file, None, "is a link that leaves the fleet directory", "put the file itself here")
        return None
    return read_yaml(directory / file, file, complaints)


def _more_circuit_files(directory: Path, complaints: Complaints) -> list[str]:
    folder = directory / CIRCUITS_FOLDER
    if not folder.is_dir():
        return []
    names = sorted(path.name for path in folder.iterdir() if not path.name.startswith("."))
    for name in names:
        if name.endswith((".yml", ".YAML", ".YML")):
            complaints.add(f"{CIRCUITS_FOLDER}/{name}", None, "is not read", "rename it to end in .yaml")
    return [f"{CIRCUITS_FOLDER}/{name}" for name in names if name.endswith(".yaml")]


@contextmanager
def _without_garbage_collection() -> Iterator[None]:
    """Nothing read is garbage until all is read; looking for it again and again doubles the time."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()
