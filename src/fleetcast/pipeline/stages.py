"""The eight stages in running order, and the file each writes."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from fleetcast.domain.errors import BadInput
from fleetcast.pipeline.champions import ChampionComparison
from fleetcast.pipeline.components import RegisterComponents
from fleetcast.pipeline.data import RegisterData
from fleetcast.pipeline.effects import CarryOut
from fleetcast.pipeline.environments import PromoteEnvironment, RegisterEnvironment
from fleetcast.pipeline.gatekeeper import Gatekeeper
from fleetcast.pipeline.index import ReadIndex
from fleetcast.pipeline.manifests import Manifests
from fleetcast.pipeline.models import RegisterModels
from fleetcast.pipeline.promotion import PromoteModels
from fleetcast.pipeline.sharing import Share
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
    make: Callable[[Platform, Clock], Stage]


def _gatekeeper(platform: Platform, clock: Clock) -> Gatekeeper:
    control = platform.control
    return Gatekeeper.of(control, clock)


def _share(platform: Platform, clock: Clock) -> Share:
    return Share(platform.workspace.shared, CarryOut(platform.control.effects, clock))


def _register_environment(platform: Platform, _clock: Clock) -> Stage:
    return RegisterEnvironment(platform.workspace.assets)


def _promote_environment(platform: Platform, clock: Clock) -> Stage:
    workspace = platform.workspace
    return PromoteEnvironment(
        workspace.assets,
        workspace.models,
        ReadIndex.of(platform),
        workspace.shared,
        _share(platform, clock),
        _gatekeeper(platform, clock),
    )


def _register_components(platform: Platform, _clock: Clock) -> Stage:
    return RegisterComponents(platform.workspace.assets, platform.workspace.jobs)


def _register_data(platform: Platform, _clock: Clock) -> Stage:
    workspace = platform.workspace
    return RegisterData(
        ReadIndex.of(platform), workspace.data, workspace.tables, workspace.frozen, workspace.workers
    )


def _submit_training(platform: Platform, clock: Clock) -> Stage:
    workspace = platform.workspace
    return SubmitTraining(
        workspace.assets,
        ReadIndex.of(platform),
        workspace.data,
        workspace.jobs,
        platform.control.runs,
        workspace.tables,
        workspace.frozen,
        clock,
    )


def _monitor_training(platform: Platform, clock: Clock) -> Stage:
    workspace, runs = platform.workspace, platform.control.runs
    return MonitorTraining(
        workspace.assets, ReadIndex.of(platform), workspace.data, workspace.jobs, runs, clock
    )


def _register_models(platform: Platform, _clock: Clock) -> Stage:
    workspace, control = platform.workspace, platform.control
    return RegisterModels(
        workspace.models,
        control.states,
        ReadIndex.of(platform),
        workspace.data,
        workspace.jobs,
        control.runs,
        workspace.artifacts,
    )


def _promote_models(platform: Platform, clock: Clock) -> Stage:
    workspace = platform.workspace
    return PromoteModels(
        workspace.models,
        platform.control.states,
        ReadIndex.of(platform),
        workspace.shared,
        _share(platform, clock),
        workspace.data,
        _gatekeeper(platform, clock),
        ChampionComparison(workspace.artifacts, workspace.tables, workspace.frozen, workspace.foreign),
        workspace.artifacts,
        Manifests.of(platform),
        platform.control.runs,
    )


STAGES: tuple[StageEntry, ...] = (
    StageEntry(
        "RegisterEnvironment",
        "environment.json",
        "register the training environment in the dev workspace",
        _register_environment,
    ),
    StageEntry(
        "PromoteEnvironment",
        "environment_promotion.json",
        "ask for a new environment to be shared, and share it once approved",
        _promote_environment,
    ),
    StageEntry(
        "RegisterComponents",
        "components.json",
        "register the training pipeline component in the dev workspace",
        _register_components,
    ),
    StageEntry(
        "RegisterData",
        "data_assets.json",
        "check, fingerprint and register the data of every circuit",
        _register_data,
    ),
    StageEntry(
        "SubmitTraining",
        "training_jobs.json",
        "queue a job for every circuit that the plan says to train",
        _submit_training,
    ),
    StageEntry(
        "MonitorTraining",
        "completed_jobs.json",
        "see the jobs through, and retry failed ones",
        _monitor_training,
    ),
    StageEntry(
        "RegisterModels",
        "registered_models.json",
        "register every completed job's model with its lineage",
        _register_models,
    ),
    StageEntry(
        "PromoteModels",
        "promotions.json",
        "measure new models, ask for their promotion, and share the approved ones",
        _promote_models,
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
