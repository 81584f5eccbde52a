"""Models in words and as JSON."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict

from fleetcast.domain.approval import Request
from fleetcast.domain.canonical import Json
from fleetcast.domain.model import AdoptedLineage, Lineage, TrainedLineage, family_of
from fleetcast.domain.scores import ModelScores
from fleetcast.domain.wording import counted
from fleetcast.views.circuits import retired_as_json
from fleetcast.views.evidence import NO_STRONGEST, baseline_in_words, says
from fleetcast.views.moments import iso, iso_or_null, shown
from fleetcast.views.names import changes_as_json, circuit_ids, decided_in_words, decisions_as_json
from fleetcast.views.unloadable import unloadable_as_json
from fleetcast.workflows.inspect_models import ModelHistory, ModelRow, SelectedVersion, VersionHistory
from fleetcast.workflows.verify_models import VerifiedModels


def rows_as_json(rows: Sequence[ModelRow]) -> Json:
    """The list for programs; `selected` is null before the first training, and of a retired circuit."""
    return [
        {
            **circuit_ids(row.key),
            "model_name": row.model,
            "champion_version": row.champion,
            "is_retired": row.retired,
            "selected": None if row.selected is None else _selected(row.selected),
        }
        for row in rows
    ]


def history_as_json(history: ModelHistory) -> Json:
    """One model for programs: every version whole."""
    return {
        **circuit_ids(history.key),
        "model_name": history.model,
        "champion_version": history.champion,
        "retired": None if history.retired is None else retired_as_json(history.retired),
        "shown_version": history.detail.version.version,
        "artifact_folder": None if history.artifact is None else str(history.artifact),
        "artifact_problem": history.artifact_problem or None,
        "versions": [_version(entry) for entry in history.versions],
    }


def verified_as_json(verified: VerifiedModels) -> Json:
    """What verifying found, for programs."""
    return {
        "read": verified.read,
        "unloadable_models": [unloadable_as_json(model) for model in verified.unloadable],
    }


def facts(history: ModelHistory) -> Iterator[tuple[str, str]]:
    """What there is to say of the version in detail: labels and values, in the order people ask."""
    model, lineage = history.detail.version.model, history.detail.version.model.lineage
    yield "family", family_of(history.detail.version)
    yield "training hash", f"{lineage.training_hash.hex} (schema {lineage.hash_schema})"
    if isinstance(lineage, AdoptedLineage):
        yield from _adopted_facts(lineage)
    else:
        yield from _trained_facts(history, lineage)
    yield "artifact", f"{model.artifact.hex}, {model.artifact_bytes / 1000:,.0f} kB"
    yield "files", str(history.artifact) if history.artifact else history.artifact_problem


def decisions(requests: Sequence[Request]) -> Iterator[str]:
    """Who was asked about a version, what they were shown, and what they decided, a line each."""
    if not requests:
        yield "Nobody was asked about this version."
    for request in requests:
        opened = f"opened {shown(request.opened_at)} by {request.requested_by}"
        yield f"Request {request.id}, {request.state.value}, {opened}"
        for check in request.evidence.checks:
            yield f"  {check.verdict.value}: {check.name}: {says(check)}"
        for decision in request.decisions:
            comment = f": {decision.comment}" if decision.comment else ""
            yield f"  {decided_in_words(decision)}, {shown(decision.at)}{comment}"


def number(value: float | None) -> str:
    """A metric; a dash where it could not be measured."""
    return "–" if value is None else f"{value:.3f}" if abs(value) < 100 else f"{value:,.4g}"


def baseline_of(scores: ModelScores, sensor: str) -> str:
    """What a sensor's skill is measured against; a dash where it was not, or where that is unknown."""
    found = scores.baselines.get(sensor)
    return "–" if found is None else baseline_in_words(found)


def _adopted_facts(lineage: AdoptedLineage) -> Iterator[tuple[str, str]]:
    yield "adopted from", lineage.source
    yield "stands for", f"the circuit as declared in {lineage.commit}, up to {lineage.inputs['cutoff_date']}"
    for name, value in lineage.stated.items():
        yield f"stated {name}", value
    yield "is given", f"{lineage.lookback} steps of history"
    yield "unknown", "job, training rows, component and environment: it was trained elsewhere"


def _trained_facts(history: ModelHistory, lineage: TrainedLineage) -> Iterator[tuple[str, str]]:
    model = history.detail.version.model
    yield "trained", f"up to {lineage.inputs['cutoff_date']}, {lineage.inputs['training_window']} of readings"
    data = history.data
    if data is not None:
        yield (
            "readings",
            f"{counted(data.rows, 'row')} of {data.source}, version {data.delta_version}, {lineage.fingerprint}",
        )
        for gone in data.verdict.left_out:
            yield "left out", f"{gone.sensor}: {gone.reason}"
        for warning in data.verdict.warnings:
            yield "warning", warning
    yield "component", f"{lineage.component}:{lineage.component_version} ({lineage.component_digest})"
    yield "environment", lineage.environment_version
    seconds = "" if model.trained_seconds is None else f", {model.trained_seconds:.2f} s"
    yield "job", f"{lineage.job} in {lineage.run}{seconds}"
    yield "commit", lineage.commit
    if not model.scores.baselines and model.scores.mean.skill is not None:
        yield "baseline", NO_STRONGEST


def _selected(version: SelectedVersion) -> Json:
    return {
        "version": version.version,
        "state": version.standing.value,
        "family": version.family,
        "skill": version.skill,
        "mase": version.mase,
        "coverage_80": version.coverage_80,
        "registered_at": iso(version.registered_at),
        "cutoff_date": version.cutoff,
        "training_hash": version.training_hash,
    }


def _version(entry: VersionHistory) -> Json:
    model, lineage = entry.version.model, entry.version.model.lineage
    return {
        "version": entry.version.version,
        "state": entry.standing.value,
        "selected": entry.selected,
        "files_removed_at": iso_or_null(entry.removed_at),
        "registered_at": iso(entry.version.registered_at),
        "changes": changes_as_json(entry.changed),
        "metrics": {
            "mean": asdict(model.scores.overall),
            "sensors": {name: asdict(each) for name, each in model.scores.sensors.items()},
            "baselines": [
                {"sensor": sensor, "baseline": baseline_in_words(each), **asdict(each)}
                for sensor, each in model.scores.baselines.items()
            ],
        },
        "artifact": model.artifact.hex,
        "artifact_bytes": model.artifact_bytes,
        "trained_seconds": model.trained_seconds,
        "lineage": {
            "training_hash": lineage.training_hash.hex,
            "hash_schema": lineage.hash_schema,
            "inputs": dict(lineage.inputs),
            "commit": lineage.commit,
            **_origin(lineage),
        },
        "requests": [
            {
                "request_id": request.id,
                "state": request.state.value,
                "opened_at": iso(request.opened_at),
                "decisions": decisions_as_json(request.decisions),
            }
            for request in entry.requests
        ],
    }


def _origin(lineage: Lineage) -> dict[str, Json]:
    """How the model came to be; null is what nobody knows of a model that was trained elsewhere."""
    trained = lineage if isinstance(lineage, TrainedLineage) else None
    return {
        "component_name": trained.component if trained else None,
        "component_version": trained.component_version if trained else None,
        "component_digest": trained.component_digest.hex if trained else None,
        "environment_version": trained.environment_version if trained else None,
        "run_id": trained.run if trained else None,
        "job_id": trained.job if trained else None,
        "data_digest": trained.data_digest.hex if trained else None,
        "fingerprint": trained.fingerprint.hex if trained else None,
        "adopted": _adopted(lineage) if isinstance(lineage, AdoptedLineage) else None,
    }


def _adopted(lineage: AdoptedLineage) -> Json:
    return {
        "source": lineage.source,
        "stated": dict(lineage.stated),
        "lookback_steps": lineage.lookback,
    }
