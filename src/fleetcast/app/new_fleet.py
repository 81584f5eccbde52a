"""A new fleet: its files, and a git repository around them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from fleetcast.domain.errors import BadInput
from fleetcast.domain.new_repository import NewRepository, NotWanted

if TYPE_CHECKING:
    from fleetcast.domain.ci import Ci


@dataclass(frozen=True, slots=True)
class FleetBegun:
    """What was made."""

    directory: Path
    """As it was named."""
    files: tuple[Path, ...]
    """Below it, in the order written."""
    repository: NewRepository


def begin_fleet(directory: Path, ci: Ci | None = None, *, with_git: bool = True) -> FleetBegun:
    """Write a new fleet, and commit it where no git repository is around it.

    Args:
        directory: Where.
        ci: Whose pipelines to write; None: none.
        with_git: Whether git may be asked at all.

    Raises:
        BadInput: It would be inside another fleet, or files would be overwritten; nothing was written.
        Unavailable: The disk or git refuses.
    """
    from fleetcast import __version__
    from fleetcast.config.pipelines import check_free, write_pipelines
    from fleetcast.config.templates import init_fleet

    check_not_inside_another(directory)
    if ci is not None:
        check_free(directory, ci)
    written = [path.relative_to(directory) for path in init_fleet(directory)]
    if ci is not None:
        written += write_pipelines(directory, ci, __version__)
    if not with_git:
        return FleetBegun(directory, tuple(written), NotWanted())
    from fleetcast.platforms.git.first_commit import begin_repository

    return FleetBegun(directory, tuple(written), begin_repository(directory, written))


def check_not_inside_another(directory: Path) -> None:
    """Make sure that a folder is not inside a fleet, which would hide it from whoever is there.

    Raises:
        BadInput: It is; that it is a fleet itself is another matter.
    """
    from fleetcast.config.find_fleet import fleet_above

    other = fleet_above(directory)
    if other is not None:
        raise BadInput(
            f"{directory} would be a fleet inside of another one, {other}",
            fix="choose a folder outside of it, or declare circuits there: fleetcast circuits add PLANT/CIRCUIT",
        )
