"""Training jobs, their tasks, components and outcomes, as they are written down."""

from __future__ import annotations

from fleetcast.domain.component import TrainingComponent
from fleetcast.domain.job import FitTask, JobBatch, JobOutcome, TrainingJob
from fleetcast.stored.form import Fields, Stored


def _without_baselines(fields: Fields) -> Fields:
    """Format 1 measured skill against a day and a week, and did not say which."""
    return fields


FIT_TASK = Stored(FitTask, fix="give the task.json that the job was handed")
JOB_OUTCOME = Stored(
    JobOutcome,
    number=2,
    earlier={1: _without_baselines},
    fix="remove the file, then run `fleetcast train`: the job is done again",
)
TRAINING_JOB = Stored(TrainingJob, number=2, earlier={1: _without_baselines})
COMPONENT = Stored(TrainingComponent)
JOB_BATCH = Stored(JobBatch, fix="give the folder that the batch was written to")
