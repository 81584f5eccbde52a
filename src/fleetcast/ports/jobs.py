"""What fleetcast needs from whatever runs training jobs."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import timedelta
from typing import Protocol

from fleetcast.domain.component import TrainingComponent
from fleetcast.domain.errors import BadInput
from fleetcast.domain.identity import Digest
from fleetcast.domain.job import JobPage, TrainingJob
from fleetcast.domain.retention import KeptLog


class JobUnknown(BadInput):
    """No training job has the id that was given."""

    def __init__(self, job_id: str) -> None:
        super().__init__(f"there is no job {job_id[:200]}")
        self.fix = (
            "`fleetcast runs show RUN` says where the run's files are: training_jobs.json names its jobs"
        )


class JobService(Protocol):
    """Runs training jobs by the registered component's steps, and knows how each of them stands."""

    def check(self, component: TrainingComponent) -> None:
        """Make sure that the component's steps can run, as far as it shows before one does.

        Raises:
            BadInput: A step's command cannot be read, or its program is not where jobs run; nothing was started. Where
                they run in containers, only the container knows its programs.
        """
        ...

    def submit(self, jobs: Sequence[TrainingJob], component: TrainingComponent) -> None:
        """Queue jobs, all or none; a job whose id is known is left as it is."""
        ...

    def jobs_for(self, hashes: Collection[Digest]) -> Mapping[Digest, Sequence[TrainingJob]]:
        """All attempts at these training hashes, by hash, first attempt first; read in bulk."""
        ...

    def failing(self, hashes: Collection[Digest]) -> Mapping[Digest, Sequence[TrainingJob]]:
        """As `jobs_for`, but only those training hashes at which an attempt failed; cheap where none did."""
        ...

    def wait(self, hashes: Collection[Digest], timeout: timedelta) -> Sequence[TrainingJob]:
        """Let jobs at these training hashes go on until some of them changed or the time is over.

        Gives those that changed; a finished job is on record before it is given here, so a crash never forgets
        it. Other jobs, left behind by an interrupted run, may wait for whoever asks for them.
        """
        ...

    def set_aside(self) -> Sequence[str]:
        """What was found torn since this was last asked: each file, where it is now, and what follows.

        Nothing of it is deleted; the job that it belongs to is done again.
        """
        ...

    def abandon(self, wanted: Collection[Digest]) -> Sequence[TrainingJob]:
        """End the unfinished jobs at other training hashes, which an interrupted run left; gives them.

        For whoever alone works on the fleet, and knows all that it wants.
        """
        ...

    def void(self, lost: Mapping[str, str]) -> None:
        """Let completed jobs count as failed, as what they left is lost or damaged.

        Args:
            lost: Why, by the job's id; an id that is not known, or of a job that is not completed, is left out.
        """
        ...

    def give_up(self, ids: Collection[str]) -> None:
        """Let completed jobs count as abandoned, as what they left was removed on purpose: whoever wants it again
        makes another attempt.

        An id that is not known, or of a job that is not completed, is left out.
        """
        ...

    def kept_logs(self) -> Sequence[KeptLog] | None:
        """What jobs said, as far as this fleet keeps it and may remove it; None where the platform keeps it itself."""
        ...

    def remove_logs(self, ids: Collection[str]) -> None:
        """Remove what jobs said; where nothing is kept, nothing happens. How they ended stays on record.

        Raises:
            Unavailable: The disk refuses; some may be gone.
        """
        ...

    def median_seconds(self) -> Mapping[str, float]:
        """How long completed jobs took, by model family."""
        ...

    def log(self, job_id: str) -> str | None:
        """What the steps of one job said, as far as it has reached the fleet's own store; None while nothing has.

        Bytes that are no text in UTF-8 are replaced. Asking changes nothing, and a job that ended keeps what it said
        for as long as the platform keeps its files, and retention what jobs said.

        Raises:
            JobUnknown: No job has this id.
            Unavailable: It is there and cannot be read.
        """
        ...

    def pages(self, run: str) -> Sequence[JobPage]:
        """The platform's own pages about the jobs of a run, by their titles; none where it has no pages.

        Raises:
            Unavailable: The platform does not answer.
            BadInput: It does not let this identity look.
        """
        ...

    def close(self) -> None:
        """Stop working on jobs; what is not finished stays queued for the next who waits."""
        ...
