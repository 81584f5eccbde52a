"""The eight stages in running order, and the file each writes."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from fleetcast.domain.audit import Actor
from fleetcast.domain.errors import BadInput
from fleetcast.pipeline.champions import ChampionComparison
from fleetcast.pipeline.components import RegisterComponents
from fleetcast.pipeline.data import RegisterData
from fleetcast.pipeline.environments import PromoteEnvironment, RegisterEnvironment
from fleetcast.pipeline.gatekeeper import Gatekeeper
from fleetcast.pipeline.models import RegisterModels
from fleetcast.pipeline.promotion import PromoteModels
from fleetcast.pipeline.situation import Stage
from fleetcast.pipeline.training import MonitorTraining, SubmitTraining
from fleetcast.ports.clock import Clock
from fleetcast.ports.platform import Platform


@dataclass(frozen=True, slots=True)
class StageEntry:
    """A stage's name, the artifact it writes, what it is for, and how it is made for a platform."""

    name: str
    artifact: str
    purpose: str
    make: Callable[[Platform, Clock, Actor], Stage]


def _gatekeeper(platform: Platform, clock: Clock, actor: Actor) -> Gatekeeper:
    return Gatekeeper(platform.approvals, clock, actor)


STAGES: tuple[StageEntry, ...] = (
    StageEntry(
        "RegisterEnvironment",
        "environment.json",
        "register the training environment in the dev workspace",
        lambda platform, _clock, _actor: RegisterEnvironment(platform.assets),
    ),
    StageEntry(
        "PromoteEnvironment",
        "environment_promotion.json",
        "ask for a new environment to be shared, and share it once approved",
        lambda platform, clock, actor: PromoteEnvironment(
            platform.assets, platform.models, platform.shared, _gatekeeper(platform, clock, actor), clock
        ),
    ),
    StageEntry(
        "RegisterComponents",
        "components.json",
        "register the training pipeline component in the dev workspace",
        lambda platform, _clock, _actor: RegisterComponents(platform.assets, platform.jobs),
    ),
    StageEntry(
        "RegisterData",
        "data_assets.json",
        "check, fingerprint and register the data of every circuit",
        lambda platform, _clock, _actor: RegisterData(
            platform.models, platform.data, platform.tables, platform.frozen, platform.workers
        ),
    ),
    StageEntry(
        "SubmitTraining",
        "training_jobs.json",
        "queue a job for every circuit that the plan says to train",
        lambda platform, clock, _actor: SubmitTraining(
            platform.assets,
            platform.models,
            platform.data,
            platform.jobs,
            platform.tables,
            platform.frozen,
            clock,
        ),
    ),
    StageEntry(
        "MonitorTraining",
        "completed_jobs.json",
        "see the jobs through, and retry failed ones",
        lambda platform, clock, _actor: MonitorTraining(
            platform.assets, platform.models, platform.data, platform.jobs, clock
        ),
    ),
    StageEntry(
        "RegisterModels",
        "registered_models.json",
        "register every completed job's model with its lineage",
        lambda platform, _clock, _actor: RegisterModels(platform.models, platform.data, platform.jobs),
    ),
    StageEntry(
        "PromoteModels",
        "promotions.json",
        "measure new models, ask for their promotion, and share the approved ones",
        lambda platform, clock, actor: PromoteModels(
            platform.models,
            platform.shared,
            platform.data,
            _gatekeeper(platform, clock, actor),
            ChampionComparison(platform.artifacts, platform.tables, platform.frozen, platform.foreign),
            clock,
        ),
    ),
)

_BY_NAME: Mapping[str, StageEntry] = {entry.name: entry for entry in STAGES}


def stage_named(name: str) -> StageEntry:
    """The stage with this name.

    Raises:
        BadInput: There is none; the text lists the eight.
    """
    if name not in _BY_NAME:
        near = difflib.get_close_matches(name, _BY_NAME, n=1, cutoff=0.4)
        hint = f"did you mean {near[0]}? " if near else ""
        raise BadInput(f"there is no stage {name!r}", fix=f"{hint}the stages are {', '.join(_BY_NAME)}")
    return _BY_NAME[name]
