"""What is answered to whoever asks of a fleet, here or at a server."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from fleetcast.config.not_used_yet import UnusedSetting
from fleetcast.domain.audit import Actor
from fleetcast.domain.people import Grant
from fleetcast.domain.plan import Plan
from fleetcast.domain.run import Run
from fleetcast.workflows.look import PagesOfRun


@dataclass(frozen=True, slots=True)
class PlanMade:
    """A plan, and the settings that nothing uses yet."""

    plan: Plan
    unused: tuple[UnusedSetting, ...]


@dataclass(frozen=True, slots=True)
class RunsListed:
    """Runs, newest first."""

    runs: tuple[Run, ...]
    at_work: bool
    """Whether anybody runs stages at this moment."""
    next: str | None = None
    """Where the list goes on, if it does."""


@dataclass(frozen=True, slots=True)
class RunFound:
    """One run."""

    run: Run
    at_work: bool
    folder: Path
    """Where its files are, on the machine of the fleet."""
    jobs: PagesOfRun
    """Where the platform shows its jobs."""


@dataclass(frozen=True, slots=True)
class ActorKnown:
    """Who acts, and what is on record about them."""

    actor: Actor
    open: bool
    """Whether nobody is on record at all."""
    on_record: bool
    roles: tuple[Grant, ...]
