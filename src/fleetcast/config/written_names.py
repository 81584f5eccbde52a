"""Names that a fleet repository writes, read without judging them: what shells offer while somebody types."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

SETTINGS_FILE = "fleetcast.yaml"


@dataclass(frozen=True, slots=True)
class WrittenNames:
    """What one fleet repository writes; mistakes in it are left out."""

    circuits: tuple[str, ...]
    """As PLANT/CIRCUIT."""
    owners: tuple[str, ...]
    tags: tuple[str, ...]
    """As KEY=VALUE."""
    sensors: tuple[str, ...]
    sources: tuple[str, ...]
    """Data sources."""
    channels: tuple[str, ...]
    """Of notifications."""
    state: str
    """The folder where a fleet on this machine keeps things, below its own."""

    @property
    def plants(self) -> tuple[str, ...]:
        """Plants that have circuits."""
        return tuple(dict.fromkeys(name.partition("/")[0] for name in self.circuits))


def fleet_folder(start: Path) -> Path | None:
    """The fleet repository that a folder is in, or that it is; None if it is in none."""
    here = start.absolute()
    return next((one for one in (here, *here.parents) if (one / SETTINGS_FILE).is_file()), None)


def written_names(directory: Path) -> WrittenNames:
    """Read the names that the files of a fleet repository write.

    Raises:
        OSError: A file cannot be read.
        ValueError: A file is no UTF-8.
        YAMLError: A file is no YAML.
    """
    settings = _read(directory / SETTINGS_FILE)
    files = [
        directory / "config" / "circuits.yaml",
        *sorted((directory / "config" / "circuits").glob("*.yaml")),
    ]
    circuits: dict[str, None] = {}
    layers: list[Mapping[str, Any]] = []
    for file in files:
        if file.is_file():
            for name, layer in _circuits_of(_read(file)):
                layers.append(layer)
                if name:
                    circuits[name] = None
    platform, notifications = _mapping(settings.get("platform")), _mapping(settings.get("notifications"))
    return WrittenNames(
        tuple(circuits),
        _distinct(str(layer["owner"]) for layer in layers if "owner" in layer),
        _distinct(f"{key}={value}" for layer in layers for key, value in _mapping(layer.get("tags")).items()),
        _distinct(str(name) for layer in layers for name in _items(layer.get("features"))),
        tuple(map(str, _mapping(settings.get("data_sources")))),
        tuple(map(str, _mapping(notifications.get("channels")))),
        str(platform.get("state", ".fleetcast")),
    )


def _circuits_of(file: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Each circuit with what it says itself, and each `defaults:` without a name."""
    yield "", _mapping(file.get("defaults"))
    for plant, told in _mapping(file.get("plants")).items():
        yield "", _mapping(_mapping(told).get("defaults"))
        for circuit, layer in _mapping(_mapping(told).get("circuits")).items():
            yield f"{plant}/{circuit}", _mapping(layer)
    for layer in map(_mapping, _items(file.get("circuits"))):
        if "plant_id" in layer and "circuit_id" in layer:
            yield f"{layer['plant_id']}/{layer['circuit_id']}", layer


def _read(path: Path) -> Mapping[str, Any]:
    import yaml

    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    return _mapping(yaml.load(path.read_text(encoding="utf-8"), loader))  # noqa: S506  # both make plain values alone


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _items(value: object) -> list[Any]:
    return value if isinstance(value, list) else []


def _distinct(names: Iterator[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(names))
