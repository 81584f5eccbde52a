"""Pipelines of CI that fleetcast writes: new ones, and newer ones in place of those that nobody has edited."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path

from fleetcast.config.scheduled_pipelines import MONITORING, monitoring_pipeline, training_schedule
from fleetcast.config.templates import GapTemplate
from fleetcast.domain.ci import Ci
from fleetcast.domain.errors import BadInput, Unavailable
from fleetcast.domain.settings import Routine, Schedule
from fleetcast.stored.durable import write_durably

_FOLDERS: Mapping[Ci, Mapping[str, str]] = {
    Ci.AZURE_DEVOPS: {"": ".azuredevops"},
    Ci.GITHUB: {"": ".github/workflows", "actions": ".github/actions"},
}
"""Where the files of a template go, by the first folder that they are in; `""` stands for all others."""
_HEAD = re.compile(
    r"# Written by fleetcast (?P<version>\S+) \((?P<digest>[0-9a-f]{16})\)\. `fleetcast update-template` "
    r"replaces it as long as nobody edits it\.\n"
)
_NEW = ".new"
"""What is added to the name of a file that was edited, for the newer text beside it."""


class Update(StrEnum):
    """What became of one file."""

    WRITTEN = "written"
    REPLACED = "replaced"
    SAME = "up to date"
    EDITED = "edited"
    """It is as somebody left it; the newer text is beside it."""
    REMOVED = "removed"
    """Nothing that it ran is scheduled any more."""
    LEFT = "no longer written, but edited"
    """The same, but it is as somebody left it, and stays."""


@dataclass(frozen=True, slots=True)
class Updated:
    """One file of a template."""

    path: str
    """Below the fleet's directory."""
    update: Update


_NOTHING: Mapping[Routine, Schedule] = {}


def pipeline_files(
    ci: Ci, version: str, schedules: Mapping[Routine, Schedule] = _NOTHING
) -> Mapping[str, str]:
    """The content of every file of a CI's template, by its path below the fleet's directory.

    Args:
        ci: Which.
        version: Of the fleetcast that agents are to install.
        schedules: What starts by itself.
    """
    root = files("fleetcast.config").joinpath("ci", ci.value)
    gaps = {"version": version, "schedule": training_schedule(ci, schedules)}
    found = {path: GapTemplate(text).substitute(gaps) for path, text in _texts(root, _FOLDERS[ci])}
    monitoring = monitoring_pipeline(ci, schedules)
    if monitoring is not None:
        found[_monitoring(ci)] = monitoring
    return {path: _signed(text, version) for path, text in found.items()}


def _monitoring(ci: Ci) -> str:
    return f"{_FOLDERS[ci]['']}/{MONITORING[ci]}"


def write_pipelines(directory: Path, ci: Ci, version: str) -> Sequence[Path]:
    """Write the pipelines of a new fleet; gives the paths below its directory.

    Raises:
        BadInput: Some of the files exist; nothing was written then.
        Unavailable: The disk refuses.
    """
    check_free(directory, ci)
    contents = pipeline_files(ci, version)
    for path, content in contents.items():
        _write(directory / path, content)
    return [Path(path) for path in contents]


def check_free(directory: Path, ci: Ci) -> None:
    """Make sure that a fleet has none of a CI's pipelines.

    Raises:
        BadInput: It has some.
    """
    paths = pipeline_files(ci, "0")
    taken = [path for path in paths if (directory / path).exists() or (directory / path).is_symlink()]
    if taken:
        raise BadInput(
            f"{', '.join(taken)} would be overwritten in {directory}",
            fix="bring them up to date with `fleetcast update-template`",
        )


def update_pipelines(
    directory: Path,
    ci: Ci,
    version: str,
    *,
    write: bool,
    schedules: Mapping[Routine, Schedule] = _NOTHING,
) -> Sequence[Updated]:
    """Bring a fleet's pipelines to what this fleetcast would write.

    Args:
        directory: The fleet repository.
        ci: Which.
        version: Of the fleetcast that agents are to install.
        write: Whether to do it, or only to say.
        schedules: What starts by itself.

    Raises:
        Unavailable: The disk refuses.
    """
    updated = []
    contents = pipeline_files(ci, version, schedules)
    for path, content in contents.items():
        update = _what_to_do(directory / path, content)
        if write and update is not Update.SAME:
            _write(directory / (path + _NEW if update is Update.EDITED else path), content)
        updated.append(Updated(path, update))
    monitoring = _monitoring(ci)
    if monitoring not in contents and (directory / monitoring).exists():
        updated.append(Updated(monitoring, _remove(directory / monitoring, write=write)))
    return updated


def written_for(directory: Path) -> Sequence[Ci]:
    """The CIs whose pipelines a fleet has."""
    return [ci for ci in Ci if any((directory / path).is_file() for path in pipeline_files(ci, "0"))]


def _what_to_do(path: Path, content: str) -> Update:
    if not path.exists():
        return Update.WRITTEN
    try:
        held = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        return Update.EDITED
    if held == content:
        return Update.SAME
    head = _HEAD.match(held)
    if head is None or head["digest"] != _digest(held[head.end() :]):
        return Update.EDITED
    return Update.REPLACED


def _remove(path: Path, *, write: bool) -> Update:
    """Take a file away that is not written any more, unless it is not as it was written."""
    if _what_to_do(path, "") is Update.EDITED:
        return Update.LEFT
    if write:
        try:
            path.unlink()
        except OSError as error:
            raise Unavailable(
                f"cannot remove {path}: {error.strerror}", fix="check the disk and its permissions"
            ) from error
    return Update.REMOVED


def _texts(root: Traversable, folders: Mapping[str, str], inside: str = "") -> Iterator[tuple[str, str]]:
    for entry in sorted(root.iterdir(), key=lambda one: one.name):
        path = f"{inside}{entry.name}"
        if entry.is_dir():
            yield from _texts(entry, folders, f"{path}/")
        else:
            first, _, rest = path.partition("/")
            place = f"{folders[first]}/{rest}" if first in folders else f"{folders['']}/{path}"
            yield place, entry.read_text(encoding="utf-8")


def _signed(text: str, version: str) -> str:
    return (
        f"# Written by fleetcast {version} ({_digest(text)}). `fleetcast update-template` "
        f"replaces it as long as nobody edits it.\n{text}"
    )


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _write(path: Path, content: str) -> None:
    try:
        write_durably(path, content.encode())
    except OSError as error:
        raise Unavailable(
            f"cannot write {path}: {error.strerror}", fix="check the disk and its permissions"
        ) from error
