"""Runs of pipelines in CI, and the people that they wait for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from types import MappingProxyType


class RunEnding(StrEnum):
    """How a run, or a part of one, ended."""

    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELED = "canceled"
    SKIPPED = "skipped"
    UNKNOWN = "unknown"
    """It ended, and nobody says how."""


@dataclass(frozen=True, slots=True)
class PipelineRun:
    """One run of one pipeline."""

    pipeline: int
    number: int
    name: str
    ending: RunEnding
    created_at: datetime


@dataclass(frozen=True, slots=True)
class RunPart:
    """A stage, job or step of a run."""

    id: str
    parent: str
    """The part that it belongs to; empty: the run itself."""
    kind: str
    """`Stage`, `Job`, `Task` …"""
    name: str
    ending: RunEnding
    started_at: datetime | None = None
    """None: it has not begun."""


class PlatformVote(StrEnum):
    """What an approver says at a door of the platform."""

    APPROVED = "approved"
    REJECTED = "rejected"


@dataclass(frozen=True, slots=True)
class PlatformApproval:
    """A door of the platform at which a run waits."""

    id: str
    status: str
    """`pending`, `approved`, `rejected`, `timedOut` …"""
    minimum: int
    created_at: datetime
    votes: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    """What each approver has said, by the ids of those who were asked."""
