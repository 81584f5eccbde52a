"""Releases in words and as JSON."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from fleetcast.domain.canonical import Json
from fleetcast.domain.release import (
    ChangeOf,
    CircuitChange,
    Composed,
    Endpoint,
    Kept,
    NumberedRelease,
    Release,
    ServedModel,
)
from fleetcast.domain.wording import counted
from fleetcast.pipeline.qa import Checked
from fleetcast.views.moments import iso, iso_or_null
from fleetcast.workflows.inspect_releases import EndpointRow, History, ReleaseDiff, ReleaseShown

_DEPLOYED_AS_DECLARED = "as declared now"


def endpoints_as_json(rows: Sequence[EndpointRow]) -> Json:
    """The list for programs; `live_release` is null where nothing serves."""
    return [
        {
            **_endpoint(row.endpoint),
            "live_release": None if row.live is None else row.live.number,
            "newest_release": row.newest.number,
            **_outline(row.live or row.newest),
        }
        for row in rows
    ]


def history_as_json(history: History) -> Json:
    """The releases of one endpoint for programs, newest first."""
    return {
        **_endpoint(history.endpoint),
        "live_release": history.live,
        "releases": [{"release": one.number, **_outline(one)} for one in history.releases],
    }


def release_as_json(shown: ReleaseShown) -> Json:
    """One release for programs, whole."""
    one = shown.release
    return {
        **_endpoint(one.release.endpoint),
        "release": one.number,
        "is_live": shown.is_live,
        **_outline(one),
        "circuits": [
            {"circuit_id": circuit, **_served(model)} for circuit, model in one.release.circuits.items()
        ],
        "removed_circuits": list(one.release.removed),
    }


def diff_as_json(diff: ReleaseDiff) -> Json:
    """What changes for programs; `after_release` is null where it is what the fleet declares."""
    before, after = diff.environment_versions
    composed = diff.after if isinstance(diff.after, Composed) else None
    return {
        "before_release": None if diff.before is None else str(diff.before),
        "after_release": None if composed is not None else str(diff.after),
        "environment_version": {"before": before, "after": after},
        "changes": [
            {
                "circuit_id": change.circuit,
                "change": change.what.value,
                "before": None if change.before is None else _served(change.before),
                "after": None if change.after is None else _served(change.after),
            }
            for change in diff.circuits
        ],
        "kept_circuits": [] if composed is None else _reasons(composed.kept),
        "left_out_circuits": [] if composed is None else _reasons(composed.left_out),
    }


def diff_in_words(diff: ReleaseDiff) -> Iterator[str]:
    """What changes, a line each."""
    before, after = diff.environment_versions
    composed = diff.after if isinstance(diff.after, Composed) else None
    first = "nothing" if diff.before is None else str(diff.before)
    yield f"{first} → {_DEPLOYED_AS_DECLARED if composed is not None else diff.after}"
    if composed is not None and composed.release is None:
        yield "  nothing of this plant may be served"
    elif before is not None and before != after:
        yield f"  environment version {before} → {after}"
    for change in diff.circuits:
        yield f"  {_SIGNS[change.what]} {change.circuit}: {_change(change)}"
    if composed is not None:
        for circuit, why in composed.kept.items():
            yield f"  = {circuit}: stays as it is, as {why}"
        for circuit, why in composed.left_out.items():
            yield f"  ! {circuit}: served by nothing, as {why}"
    if not diff.circuits and before == after and before is not None:
        yield "  no circuit changes"


def outline_in_words(release: Release) -> str:
    """What a release holds, in short."""
    return f"{counted(len(release.circuits), 'circuit')}, environment {release.environment_version}"


_SIGNS = {ChangeOf.ADDED: "+", ChangeOf.CHANGED: "~", ChangeOf.REMOVED: "-"}


def _change(change: CircuitChange) -> str:
    return " → ".join(str(model) for model in (change.before, change.after) if model is not None)


def _endpoint(endpoint: Endpoint) -> dict[str, Json]:
    return {"environment": endpoint.environment.value, "plant_id": endpoint.plant}


def _outline(one: NumberedRelease) -> dict[str, Json]:
    return {
        "digest": one.release.digest.hex,
        "circuit_count": len(one.release.circuits),
        "environment_version": one.release.environment_version,
        "composed_at": iso(one.composed_at),
        "composed_by": one.composed_by,
    }


def _served(model: ServedModel) -> dict[str, Json]:
    return {
        "model_name": model.name,
        "version": model.version,
        "artifact": model.artifact.hex,
        "training_hash": model.training_hash.hex,
    }


def _reasons(circuits: Mapping[str, Kept]) -> Json:
    return [{"circuit_id": circuit, "reason": why.value} for circuit, why in circuits.items()]


def checked_as_json(found: Sequence[Checked]) -> Json:
    """What each version did with recent readings, for programs."""
    return [
        {
            "plant_id": one.key.plant,
            "circuit_id": one.key.circuit,
            "model": one.model.name,
            "version": one.model.version,
            "fit": not one.why_not,
            "reason": one.why_not or None,
            "newest_reading": iso_or_null(one.newest_reading),
            "skill": dict(one.skill),
        }
        for one in found
    ]
