"""Scoring a fleet in several processes, each of which opens the platform once."""

from __future__ import annotations

from functools import lru_cache, partial
from pathlib import Path
from typing import TYPE_CHECKING

from fleetcast.domain.place import EnvironmentName

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from fleetcast.pipeline.batch_scoring import Part, PartScored, ScorePart
    from fleetcast.ports.platform import Platform


def score_parts(directory: Path, environment: EnvironmentName, parts: Sequence[Part]) -> Iterator[PartScored]:
    """Forecast parts of a fleet, in as many processes as there are cores; arguments as of `ScoreFleet`."""
    from fleetcast.platforms.processes import in_processes

    return in_processes(partial(_score, str(directory.resolve()), environment), parts)


def scoring_part(platform: Platform, environment: EnvironmentName) -> ScorePart:
    """What forecasts a part in this process."""
    from fleetcast.pipeline.batch_scoring import ScorePart
    from fleetcast.pipeline.forecasters.served import OpenServed

    return ScorePart(
        platform.workspace.tables,
        OpenServed.in_force(platform).ahead,
        platform.workspace.forecasts(environment),
    )


def _score(directory: str, environment: EnvironmentName, part: Part) -> PartScored:
    return _opened(directory, environment)(part)


@lru_cache(1)
def _opened(directory: str, environment: EnvironmentName) -> ScorePart:
    """Once for each process: its settings are read, its circuits come with the parts."""
    from fleetcast.app.opening import open_platform

    return scoring_part(open_platform(Path(directory)), environment)
