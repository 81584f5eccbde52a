"""Looking at a fleet in several processes, each of which opens the platform once."""

from __future__ import annotations

from functools import lru_cache, partial
from pathlib import Path
from typing import TYPE_CHECKING

from fleetcast.domain.place import EnvironmentName

if TYPE_CHECKING:
    from collections.abc import Iterator

    from fleetcast.pipeline.watching import PartToWatch, PartWatched, WatchPart
    from fleetcast.ports.platform import Platform


def watch_parts(
    directory: Path, environment: EnvironmentName, parts: Iterator[PartToWatch]
) -> Iterator[PartWatched]:
    """Look at parts of a fleet, in as many processes as there are cores; the first is looked at in this one."""
    from fleetcast.platforms.processes import in_processes

    return in_processes(partial(_watch, str(directory.resolve()), environment), parts, alone=1)


def watching_part(platform: Platform, environment: EnvironmentName) -> WatchPart:
    """What looks at a part in this process."""
    from fleetcast.pipeline.profiles import Profiles
    from fleetcast.pipeline.signals.observing import learn, observe
    from fleetcast.pipeline.watching import WatchPart

    workspace = platform.workspace
    return WatchPart(
        workspace.tables,
        workspace.frozen,
        workspace.forecasts(environment),
        Profiles(workspace.learnt, learn),
        observe,
    )


def _watch(directory: str, environment: EnvironmentName, part: PartToWatch) -> PartWatched:
    return _opened(directory, environment)(part)


@lru_cache(1)
def _opened(directory: str, environment: EnvironmentName) -> WatchPart:
    """Once for each process: its settings are read, its circuits come with the parts."""
    from fleetcast.app.opening import open_platform

    return watching_part(open_platform(Path(directory)), environment)
