"""Which folder is the fleet repository that a command is about: the one that is named, else the nearest upwards."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from fleetcast.config.circuit_files import CIRCUITS_FOLDER, MAIN_FILE
from fleetcast.config.settings import SETTINGS_FILE
from fleetcast.domain.errors import BadInput

_MAKE_ONE = "make one: fleetcast init"


class NoFleet(BadInput):
    """There is no fleet repository where one is needed; nothing was read or written."""


def is_fleet(folder: Path) -> bool:
    """Whether a folder holds a fleet repository, be it one with mistakes: its settings, or circuits alone."""
    known = any(os.path.lexists(folder / file) for file in (SETTINGS_FILE, MAIN_FILE))
    return known or any(_listed(folder / CIRCUITS_FOLDER))


def check_is_fleet(folder: Path) -> None:
    """Make sure that a folder which was named holds a fleet repository.

    Raises:
        NoFleet: It does not, or there is no such folder.
    """
    if not folder.is_dir():
        raise NoFleet(f"there is no directory {folder}", fix=f"{_MAKE_ONE} {folder}")
    if not is_fleet(folder):
        raise NoFleet(
            f"there is no fleet {'here' if folder == Path() else f'in {folder}'}: it holds no {SETTINGS_FILE}",
            fix=f"name another folder with --fleet, or {_MAKE_ONE} {folder}",
        )


def fleet_around(folder: Path, home: Path | None = None) -> Path | None:
    """The nearest fleet repository at or above a folder, as an absolute path; None: there is none.

    As git does, it stops where another file system begins, and also above the user's home.

    Args:
        folder: Where to begin.
        home: Of the user, if they have one.

    Raises:
        NoFleet: The fleet above belongs to another user, who could have put it there for others to run.
    """
    here = folder.resolve()
    found = next(filter(is_fleet, _upwards(here, None if home is None else home.resolve())), None)
    if found is not None and found != here:
        _check_owner(found)
    return found


def fleet_above(folder: Path) -> Path | None:
    """The nearest fleet repository that a folder would be inside of, whosever it is; the folder need not be there."""
    here = folder.resolve()
    return next((each for each in _upwards(here) if each != here and is_fleet(each)), None)


def nearest_fleet(folder: Path, home: Path | None = None) -> Path | None:
    """The same as one types it in that folder: `.`, `..`, `../..`; errors as of `fleet_around`."""
    found = fleet_around(folder, home)
    return None if found is None else Path(os.path.relpath(found, folder.resolve()))


def no_fleet_here(folder: Path) -> NoFleet:
    """What to say where a search upwards from a folder has found none."""
    return NoFleet(
        f"there is no fleet here: neither {folder} nor a folder above holds {SETTINGS_FILE}",
        fix=f"go to one, name it with --fleet, or {_MAKE_ONE} fleet",
    )


def users_home() -> Path | None:
    """The home of the user; None where nothing says which it is."""
    try:
        return Path.home()
    except RuntimeError:
        return None


def _upwards(folder: Path, home: Path | None = None) -> Iterator[Path]:
    device: int | None = None
    for each in (folder, *folder.parents):
        try:
            its = each.stat().st_dev
        except (FileNotFoundError, NotADirectoryError):  # it is to be made
            continue
        except OSError:
            return
        if device is not None and its != device:
            return
        device = its
        yield each
        if each == home:
            return


def _check_owner(fleet: Path) -> None:
    """Git asks the same before it reads a repository that it found upwards."""
    if fleet.stat().st_uid not in (os.getuid(), 0):
        raise NoFleet(
            f"the fleet above, {fleet}, belongs to another user",
            fix=f"if you trust them, name it: --fleet {fleet}",
        )


def _listed(folder: Path) -> Iterator[str]:
    try:
        names = [path.name for path in folder.iterdir()]
    except OSError:
        return
    yield from (name for name in names if name.endswith(".yaml") and not name.startswith("."))
