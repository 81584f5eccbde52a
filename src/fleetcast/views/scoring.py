"""What was published for a fleet, where a forecast comes from and what came of readings: in words and as JSON."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import groupby

from fleetcast.domain.canonical import Json
from fleetcast.domain.fallback import Source
from fleetcast.domain.identity import CircuitKey
from fleetcast.domain.model import TrainedLineage
from fleetcast.domain.wording import counted, some_of
from fleetcast.views.moments import iso, shown
from fleetcast.workflows.score import FleetScored
from fleetcast.workflows.trace_forecast import Affected, TracedForecast, TracedModel


def scored_as_json(found: FleetScored) -> Json:
    """What was published, for programs; `issue` is null where nothing was."""
    return {
        "environment": found.environment.value,
        "day": found.day.isoformat(),
        "issue": found.issue,
        "table_version": found.version,
        "circuits": found.circuits,
        "rows": found.rows,
        "sensors_by_source": {source.value: found.by_source.get(source, 0) for source in Source},
        "replaced": [
            {**_key(one.key), "sensor": one.sensor, "source": one.source.value, "reason": one.reason}
            for one in found.replaced
        ],
        "stale": [_key(key) for key in found.stale],
        "not_forecast": [{**_key(one.key), "reason": one.why} for one in found.not_scored],
        "not_served": [_key(key) for key in found.not_served],
        "published_before": found.there_already,
    }


def scored_in_words(found: FleetScored) -> Iterator[str]:
    """What was published, a line each."""
    place = f"{found.environment} on {found.day}"
    if found.issue is None and found.there_already:
        yield (
            f"forecasts of {counted(found.there_already, 'circuit')} of {place} are published already; "
            "--supersede publishes another issue"
        )
    elif found.issue is None:
        yield f"nothing was published for {place}"
    else:
        yield (
            f"published issue {found.issue} for {place}: {counted(found.circuits, 'circuit')}, "
            f"{found.rows:,} rows, table version {found.version}"
        )
        if found.there_already:
            yield f"  {counted(found.there_already, 'circuit')} had been published before, and stay as they are"
    for (source, reason), some in groupby(
        sorted(found.replaced, key=lambda one: (one.source, one.reason)), lambda one: (one.source, one.reason)
    ):
        held = list(some)
        yield f"  {counted(len(held), 'sensor')} by {source} ({reason}): {some_of(one.key for one in held)}"
    if found.stale:
        yield f"  from readings that are some steps old or older: {some_of(found.stale)}"
    for why, lacking in groupby(sorted(found.not_scored, key=lambda one: one.why), lambda one: one.why):
        yield f"  not forecast: {some_of(one.key for one in lacking)}: {why}"
    if found.not_served:
        yield f"  no release serves {some_of(found.not_served)}"


def traced_as_json(found: TracedForecast) -> Json:
    """Where a forecast comes from, for programs."""
    return {
        **_key(found.key),
        "environment": found.endpoint.environment.value,
        "day": found.day.isoformat(),
        "issue": found.issue,
        "made_at": iso(found.made_at),
        "start": iso(found.start),
        "steps": found.steps,
        "commit": found.commit,
        "release": found.release,
        "override": found.override or None,
        "data_source": found.data_source,
        "delta_version": found.delta_version,
        "newest_reading": iso(found.newest_reading),
        "sensors": [
            {
                "sensor": one.sensor,
                "source": one.source,
                "reason": one.reason or None,
                "model": one.model,
                "quarantined_steps": one.quarantined,
            }
            for one in found.sensors
        ],
        "models": {name: None if one is None else _model(one) for name, one in sorted(found.models.items())},
    }


def traced_in_words(found: TracedForecast) -> Iterator[str]:
    """Where a forecast comes from, a line each."""
    yield f"{found.key} in {found.endpoint.environment}, forecast for {found.day}, issue {found.issue}"
    yield f"  from        {shown(found.start)} on, {counted(found.steps, 'step')}; made {shown(found.made_at)}"
    yield (
        f"  readings    {found.data_source}, delta version {found.delta_version}, "
        f"the newest of {shown(found.newest_reading)}"
    )
    override = f", overridden: {found.override}" if found.override else ""
    yield f"  release     {found.endpoint}:{found.release}{override}"
    yield f"  commit      {found.commit} of the fleet"
    for one in found.sensors:
        by = one.source if one.model is None else f"{one.source} {one.model}"
        why = f" ({one.reason})" if one.reason else ""
        back = f", {counted(one.quarantined, 'step')} quarantined" if one.quarantined else ""
        yield f"  {one.sensor}: {by}{why}{back}"
    for name, model in sorted(found.models.items()):
        yield from _model_in_words(name, model)


def affected_as_json(found: Affected) -> Json:
    """What came of a version of the readings, for programs."""
    return {
        "data_source": found.data_source,
        "delta_version": found.delta_version,
        "models": [{**_key(one.key), "model": one.name, "version": one.version} for one in found.models],
        "serving": {name: list(models) for name, models in sorted(found.serving.items())},
        "forecasts": [
            {
                "environment": one.environment.value,
                "day": one.day.isoformat(),
                "read_from_it": [_key(key) for key in one.read_from_it],
                "by_its_models": [_key(key) for key in one.by_its_models],
            }
            for one in found.forecasts
        ],
    }


def affected_in_words(found: Affected) -> Iterator[str]:
    """What came of a version of the readings, a line each."""
    yield f"delta version {found.delta_version} of {found.data_source}"
    models = [f"{one.name}:{one.version}" for one in found.models]
    yield f"  trained on it: {counted(len(models), 'model version')}{': ' if models else ''}{some_of(models)}"
    for release, serving in sorted(found.serving.items()):
        yield f"  serving in {release}: {some_of(serving)}"
    for one in found.forecasts:
        read, by_model = len(one.read_from_it), len(one.by_its_models)
        yield (
            f"  forecasts of {one.environment} for {one.day}: {counted(read, 'circuit')} read from it, "
            f"{by_model} by its models"
        )
    if not found.forecasts:
        yield "  no published forecast comes from it"


def _model(one: TracedModel) -> Json:
    lineage = one.version.model.lineage
    trained = isinstance(lineage, TrainedLineage)
    return {
        "artifact": one.version.model.artifact.hex,
        "training_hash": one.version.training_hash.hex,
        "as_registered": one.is_same,
        "commit": lineage.commit,
        "run": lineage.run if isinstance(lineage, TrainedLineage) else None,
        "delta_version": lineage.inputs.get("delta_version") if trained else None,
        "registered_at": iso(one.version.registered_at),
        "approved_by": [
            {"person": each.person, "at": iso(each.at), "comment": each.comment} for each in one.approvals
        ],
    }


def _model_in_words(name: str, model: TracedModel | None) -> Iterator[str]:
    yield name
    if model is None:
        yield "  the registry does not know it any more"
        return
    version, lineage = model.version, model.version.model.lineage
    if not model.is_same:
        yield "  NOT AS REGISTERED: the forecast names other files or another training hash"
    yield f"  training hash {version.training_hash.short}, files {version.model.artifact.short}"
    if isinstance(lineage, TrainedLineage):
        yield (
            f"  trained by {lineage.run} from commit {lineage.commit}, "
            f"on delta version {lineage.inputs.get('delta_version')}"
        )
    else:
        yield f"  trained elsewhere, adopted from {lineage.source} at commit {lineage.commit}"
    for each in model.approvals:
        said = f": {each.comment}" if each.comment else ""
        yield f"  approved by {each.person}, {shown(each.at)}{said}"
    if not model.approvals:
        yield "  nobody has approved it"


def _key(key: CircuitKey) -> Mapping[str, Json]:
    return {"plant_id": key.plant, "circuit_id": key.circuit}
