"""Looking into the books and at jobs: requests, runs, the audit log and what jobs said, for those who may."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from fleetcast.domain.errors import BadInput, Unavailable
from fleetcast.domain.job import JobLog, JobPage
from fleetcast.domain.role import Right
from fleetcast.ports.approvals import AuditLog
from fleetcast.ports.platform import Control, Workspace
from fleetcast.ports.runs import RunBook
from fleetcast.workflows.requests import Requests


@dataclass(frozen=True, slots=True)
class LookIntoBooks:
    """Gives the books to whoever may look.

    Raises:
        Denied: At each of them, where whoever acts may not.
    """

    control: Control

    def requests(self, now: datetime) -> Requests:
        """Every request as it stands now, with its evidence and decisions."""
        self.control.require(Right.VIEW)
        return Requests(self.control, now)

    def audit(self) -> AuditLog:
        """The log of every change."""
        self.control.require(Right.VIEW)
        return self.control.audit

    def runs(self) -> RunBook:
        """Past and present runs."""
        self.control.require(Right.VIEW)
        return self.control.runs


@dataclass(frozen=True, slots=True)
class PagesOfRun:
    """Where the platform shows the jobs of a run."""

    pages: tuple[JobPage, ...] = ()
    unknown: str = ""
    """Why the platform could not be asked; empty: it could."""


@dataclass(frozen=True, slots=True)
class LookAtJobs:
    """Says what jobs said and where the platform shows them, to whoever may look.

    Raises:
        Denied: At each of them, where whoever acts may not.
    """

    control: Control
    workspace: Callable[[], Workspace]

    def log(self, job_id: str) -> JobLog:
        """What one job said; raises as `JobService.log` does."""
        self.control.require(Right.VIEW)
        return JobLog(job_id, self.workspace().jobs.log(job_id))

    def pages(self, run: str) -> PagesOfRun:
        """The pages of a run's jobs. A run is shown though its platform does not answer, and that is said."""
        self.control.require(Right.VIEW)
        try:
            return PagesOfRun(tuple(self.workspace().jobs.pages(run)))
        except (Unavailable, BadInput) as error:
            return PagesOfRun(unknown=str(error))
