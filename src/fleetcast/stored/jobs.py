"""Training jobs, their tasks, components and outcomes, as they are written down."""

from __future__ import annotations

from fleetcast.domain.component import TrainingComponent
from fleetcast.domain.job import FitTask, JobOutcome, TrainingJob
from fleetcast.stored.form import Stored

FIT_TASK = Stored(FitTask, fix="give the task.json that the job was handed")
JOB_OUTCOME = Stored(JobOutcome, fix="remove the file, then run `fleetcast train`: the job is done again")
TRAINING_JOB = Stored(TrainingJob)
COMPONENT = Stored(TrainingComponent)
