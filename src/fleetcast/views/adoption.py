"""What an adoption did, in words and as JSON."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from fleetcast.domain.canonical import Json
from fleetcast.domain.wording import counted
from fleetcast.views.names import circuit_ids
from fleetcast.workflows.adopt import AdoptedModel, Adoption, Fate

_MANY = 20
"""More lines of one kind than this are cut short."""


def as_text(done: Adoption, source: Path) -> str:
    """What was read, what was written, and what became of each model."""
    return "\n".join([*_read(done, source), *_written(done), *_models(done), *_next(done)])


def _read(done: Adoption, source: Path) -> Iterator[str]:
    plants = len({circuit.key.plant for circuit in done.fleet.found})
    yield f"{counted(len(done.fleet.found), 'circuit')} of {counted(plants, 'plant')} read from {source}"
    for name, (value, circuits) in done.fleet.assumed.items():
        yield f"  assumed {name}: {value}, where the source says nothing ({counted(circuits, 'circuit')})"
    for left in done.fleet.left_out:
        yield f"  left out {left.field}, at {source}:{left.line} and in {counted(left.circuits, 'circuit')} in all"


def _written(done: Adoption) -> Iterator[str]:
    if done.declared_before:
        yield f"{counted(done.declared_before, 'circuit')} declared already, left as declared"
    for file in done.files:
        yield f"{'wrote' if done.written else 'would write'} {done.directory / file}"


def _models(done: Adoption) -> Iterator[str]:
    for outcome in Fate:
        rows = [row for row in done.models if row.outcome is outcome]
        yield from (_row(row) for row in rows[:_MANY])
        if len(rows) > _MANY:
            yield f"… and {len(rows) - _MANY} more: {outcome.value}"
    if done.unused:
        shown = ", ".join(done.unused[:_MANY]) + (", …" if len(done.unused) > _MANY else "")
        yield f"not used, as no circuit has a model of that name: {shown}"


def _row(row: AdoptedModel) -> str:
    match row.outcome:
        case Fate.ADOPTED:
            return f"adopted {row.model} from {row.source} as version 1, champion"
        case Fate.WOULD_ADOPT:
            return f"would adopt {row.model} from {row.source}"
        case Fate.BEFORE:
            return f"{row.model} was adopted before from {row.source}"
        case Fate.HAS_VERSIONS:
            return f"{row.model} has versions of its own; {row.source} is left where it is"
        case Fate.NONE:
            return f"no model found for {row.key}: if it has none here, the plan says to train it"


def _next(done: Adoption) -> Iterator[str]:
    if not done.written:
        yield "nothing was written: leave out --dry-run to adopt"
    elif done.directory == Path():
        yield "next: fleetcast plan"
    else:
        yield f"next: cd {done.directory} && fleetcast plan"


def as_json(done: Adoption) -> Json:
    """The adoption for programs."""
    return {
        "directory": str(done.directory),
        "written": done.written,
        "files": list(done.files),
        "circuit_count": len(done.fleet.found),
        "declared_before": done.declared_before,
        "assumed": {name: value for name, (value, _circuits) in done.fleet.assumed.items()},
        "left_out": [
            {"field": left.field, "line": left.line, "circuit_count": left.circuits}
            for left in done.fleet.left_out
        ],
        "models": [
            {
                **circuit_ids(row.key),
                "model_name": row.model,
                "outcome": row.outcome.value,
                "source": row.source or None,
                "lookback_steps": row.lookback,
                "stated": dict(row.stated),
            }
            for row in done.models
        ],
        "unused_models": list(done.unused),
    }
