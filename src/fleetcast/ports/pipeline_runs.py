"""Runs of pipelines where CI runs them, and the doors at which they wait for people.

A door that is configured (an approval check) belongs to the installation; one that a run stands at is here.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Protocol

from fleetcast.domain.pipeline_run import PipelineRun, PlatformApproval, PlatformVote, RunPart


class PipelineRuns(Protocol):
    """Starts runs and looks at them.

    What is not there, or may not be seen, is told by `BadInput`; `Unavailable` says that there was no answer. A run
    whose start was not answered may have begun all the same.
    """

    def start(
        self, pipeline: int, branch: str, parameters: Mapping[str, str] = MappingProxyType({})
    ) -> PipelineRun:
        """Start a pipeline on a branch."""

    def find(self, pipeline: int, run: int) -> PipelineRun:
        """How a run is doing."""

    def parts(self, run: int) -> Sequence[RunPart]:
        """The stages, jobs and steps of a run so far, those that began first in front."""


class PlatformApprovals(Protocol):
    """Doors at which runs wait; errors as of `PipelineRuns`."""

    def waiting(self) -> Sequence[PlatformApproval]:
        """Every one that somebody waits for."""

    def decide(self, approval: str, vote: PlatformVote, comment: str) -> PlatformApproval:
        """Vote as whoever this process acts for; `Unavailable` also where it was decided already."""
