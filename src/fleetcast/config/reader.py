"""A fleet repository in, a `Fleet` out, or every mistake in it at once."""

from __future__ import annotations

import gc
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from fleetcast.config.assets import COMPONENT_FILE, ENVIRONMENT_FILE, read_component, read_environment
from fleetcast.config.circuit_files import CIRCUITS_FOLDER, MAIN_FILE, CircuitFinder
from fleetcast.config.circuits import CircuitResolver
from fleetcast.config.complaints import Complaints
from fleetcast.config.find_fleet import check_is_fleet
from fleetcast.config.layers import Chain, Origin, origin, stated
from fleetcast.config.not_used_yet import UnusedSetting, unused_settings
from fleetcast.config.settings import SETTINGS_FILE, read_settings
from fleetcast.config.settings_reader import SettingsReading, node_of, required
from fleetcast.config.yaml_nodes import Node
from fleetcast.domain.errors import BadInput
from fleetcast.domain.fleet import Fleet
from fleetcast.domain.identity import CircuitKey
from fleetcast.domain.place import EnvironmentName


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
        NoFleet: There is none in the directory.
    """
    return read_fleet(directory, now=now).fleet


def read_fleet(directory: Path, *, now: datetime) -> FleetReading:
    """Read and validate a whole fleet repository, and keep where its settings come from.

    Raises:
        InvalidFleet: With every mistake that was found.
        NoFleet: There is none in the directory.
    """
    check_is_fleet(directory)
    with _without_garbage_collection():
        return _read(directory, now)


def _read(directory: Path, now: datetime) -> FleetReading:
    complaints = Complaints()
    root = required(directory, SETTINGS_FILE, "the settings of the fleet", complaints)
    settings = read_settings(root, directory, complaints)
    environment = read_environment(
        required(directory, ENVIRONMENT_FILE, "the training environment", complaints), complaints
    )
    component = read_component(
        required(directory, COMPONENT_FILE, "the training component", complaints), complaints
    )
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
        yield MAIN_FILE, required(directory, MAIN_FILE, "the circuits and their defaults", complaints)
    for file in more:
        yield file, node_of(directory, file, complaints)


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
