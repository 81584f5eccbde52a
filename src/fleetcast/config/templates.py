"""Writing a new fleet repository: files that validate as they are, and teach while they are read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from importlib.resources import files
from itertools import groupby
from pathlib import Path
from string import Template

from fleetcast.domain.circuit import Cutoff
from fleetcast.domain.errors import BadInput, Unavailable
from fleetcast.domain.foreseen import why
from fleetcast.domain.identity import CircuitKey
from fleetcast.stored.durable import make_folder, sync

_FILES: Mapping[str, str] = {
    "fleetcast.yaml": "fleetcast.yaml",
    "circuits.yaml": "config/circuits.yaml",
    "environment.yaml": "config/environment.yaml",
    "component.yaml": "components/training-pipeline-component.yaml",
    "gitignore": ".gitignore",
    "README.md": "README.md",
}


@dataclass(frozen=True, slots=True)
class NewFleet:
    """What a new fleet repository declares at first."""

    circuits: Sequence[CircuitKey] = (CircuitKey("PLANT001", "CIRCUIT01"),)
    features: Sequence[str] = ("temperature", "pressure")
    cutoff: str = "2025-11-30"
    """A date, or an instant with its offset."""
    delta_version: int = 0
    frequency: str = "1h"
    horizon_days: int = 7
    training_days: int = 365
    family: str = "linear"

    def __post_init__(self) -> None:
        Cutoff.parse(self.cutoff)
        if not self.circuits or not self.features:
            raise BadInput("a new fleet needs a circuit and a feature", fix="name at least one of each")


def init_fleet(directory: Path, new: NewFleet | None = None) -> tuple[Path, ...]:
    """Write a new fleet repository, and return the files in the order written.

    Raises:
        BadInput: Some of the files exist; nothing has been written then.
        Unavailable: The disk refuses; the files written before are taken away again.
    """
    taken = [
        path for path in _FILES.values() if (directory / path).exists() or (directory / path).is_symlink()
    ]
    if taken:
        raise BadInput(
            f"{', '.join(taken)} would be overwritten in {directory}",
            fix="choose another directory, or move these files away",
        )
    contents = fleet_files(new)
    written, made = list[Path](), set[Path]()
    try:
        for path, content in contents.items():
            target = directory / path
            made |= {one for one in (target.parent, *target.parent.parents) if not one.exists()}
            make_folder(target.parent)
            with target.open("x", encoding="utf-8", newline="\n") as stream:
                written.append(target)
                stream.write(content)
            sync(target)
            sync(target.parent)
    except OSError as error:
        for target in written:
            target.unlink(missing_ok=True)
        for folder in sorted(made, reverse=True):
            with suppress(OSError):  # what somebody put there meanwhile stays
                folder.rmdir()
        raise Unavailable(
            f"cannot write {error.filename or directory}: {why(error)}",
            fix="check the disk and its permissions",
        ) from error
    return tuple(written)


def fleet_files(new: NewFleet | None = None) -> Mapping[str, str]:
    """The content of every file of a new fleet repository, by its path."""
    return {path: _content(name, new or NewFleet()) for name, path in _FILES.items()}


def _content(name: str, new: NewFleet) -> str:
    template = files("fleetcast.config").joinpath("new_fleet", name).read_text(encoding="utf-8")
    return GapTemplate(template).substitute(
        cutoff=new.cutoff,
        delta_version=new.delta_version,
        frequency=new.frequency,
        horizon=new.horizon_days,
        training_days=new.training_days,
        family=new.family,
        features=", ".join(new.features),
        plants=_plants(new.circuits),
    )


class GapTemplate(Template):
    """Gaps are written `@@name`, as `$` belongs to the component's placeholders."""

    delimiter = "@@"


def _plants(circuits: Sequence[CircuitKey]) -> str:
    lines = []
    for plant, keys in groupby(sorted(circuits), key=lambda key: key.plant):
        lines += [f"  {plant}:", "    circuits:"]
        lines += [f"      {key.circuit}: {{}}" for key in keys]
    return "\n".join(lines)
