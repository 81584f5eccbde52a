"""Models as tables for people and as JSON for programs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict

from rich.console import Console
from rich.table import Table
from rich.text import Text

from fleetcast.cli.moments import iso, shown
from fleetcast.domain.approval import Request
from fleetcast.domain.canonical import Json
from fleetcast.domain.model import AdoptedLineage, Lineage, ModelVersion, TrainedLineage, family_of
from fleetcast.domain.standing import PromotionState
from fleetcast.domain.wording import counted
from fleetcast.workflows.inspect_models import ModelHistory, ModelRow, VersionHistory

_STYLES = {
    PromotionState.PROMOTED: "green",
    PromotionState.AWAITING: "yellow",
    PromotionState.APPROVED: "yellow",
    PromotionState.REJECTED: "red",
    PromotionState.BLOCKED: "red",
}
_METRICS = ("skill", "mase", "mae", "rmse", "wape", "r2", "coverage_80", "coverage_95", "pinball")


def print_rows(rows: Sequence[ModelRow], console: Console) -> None:
    """Show one line for each circuit."""
    table = _table("circuit", "in use", "champion", "state", "family", "skill", "MASE", "cover 80")
    for column in ("trained", "cutoff", "training hash"):
        table.add_column(column)
    for place in (1, 2, 5, 6, 7):
        table.columns[place].justify = "right"
    for row in rows:
        champion = "–" if row.champion is None else str(row.champion)
        used = row.used
        if used is None:
            table.add_row(str(row.key), "–", champion, Text("not trained", "dim"), *["–"] * 7)
            continue
        table.add_row(
            str(row.key),
            str(used.version),
            champion,
            _standing(used.standing),
            used.family,
            number(used.skill),
            number(used.mase),
            number(used.coverage_80),
            shown(used.registered_at).removesuffix(" UTC"),
            used.cutoff,
            used.training_hash[:12],
        )
    console.print(table)
    trained = sum(1 for row in rows if row.used is not None)
    promoted = sum(1 for row in rows if row.used and row.used.standing is PromotionState.PROMOTED)
    console.print(
        f"\n{counted(len(rows), 'circuit')}, {trained} with a model, {promoted} promoted. "
        "More of one: fleetcast models show PLANT/CIRCUIT"
    )


def print_history(history: ModelHistory, console: Console) -> None:
    """Show all versions, then one in detail."""
    console.print(Text(f"{history.key}: {history.model}", style="bold"))
    table = _table("version", "state", "skill", "MASE", "registered (UTC)", "training hash", "changed")
    for entry in history.versions:
        mean = entry.version.model.scores.mean
        changed = ", ".join(map(str, entry.changed)) or "–"
        table.add_row(
            f"{entry.version.version}{' in use' if entry.in_use else ''}",
            _standing(entry.standing),
            number(mean.skill),
            number(mean.mase),
            shown(entry.version.registered_at).removesuffix(" UTC"),
            entry.version.training_hash.short,
            Text(changed),
        )
    console.print(table)
    console.print(Text(f"\nVersion {history.detail.version.version}", style="bold"))
    facts = Table.grid(padding=(0, 2))
    for label, value in _facts(history):
        facts.add_row(Text(label, style="dim"), Text(value))
    console.print(facts)
    console.print()
    console.print(_scores(history.detail.version))
    for line in _decisions(history.detail.requests):
        console.print(Text(line))


def rows_as_json(rows: Sequence[ModelRow]) -> Json:
    """The list for programs."""
    return [
        {
            "circuit": str(row.key),
            "model": row.model,
            "champion": row.champion,
            "in_use": None
            if row.used is None
            else {
                "version": row.used.version,
                "state": row.used.standing.value,
                "family": row.used.family,
                "skill": row.used.skill,
                "mase": row.used.mase,
                "coverage_80": row.used.coverage_80,
                "registered_at": iso(row.used.registered_at),
                "cutoff_date": row.used.cutoff,
                "training_hash": row.used.training_hash,
            },
        }
        for row in rows
    ]


def history_as_json(history: ModelHistory) -> Json:
    """One model for programs: every version whole."""
    return {
        "circuit": str(history.key),
        "model": history.model,
        "champion": history.champion,
        "shown": history.detail.version.version,
        "artifact_folder": None if history.artifact is None else str(history.artifact),
        "artifact_problem": history.artifact_problem or None,
        "versions": [_version_json(entry) for entry in history.versions],
    }


def number(value: float | None) -> str:
    """A metric; a dash where it could not be measured."""
    return "–" if value is None else f"{value:.3f}" if abs(value) < 100 else f"{value:,.4g}"


def _table(*columns: str) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold")
    for column in columns:
        table.add_column(column, overflow="fold")
    return table


def _standing(standing: PromotionState) -> Text:
    return Text(standing.value, _STYLES.get(standing, ""))


def _facts(history: ModelHistory) -> Iterator[tuple[str, str]]:
    model, lineage = history.detail.version.model, history.detail.version.model.lineage
    yield "family", family_of(history.detail.version)
    yield "training hash", f"{lineage.training_hash.hex} (schema {lineage.hash_schema})"
    if isinstance(lineage, AdoptedLineage):
        yield from _adopted_facts(lineage)
    else:
        yield from _trained_facts(history, lineage)
    yield "artifact", f"{model.artifact.hex}, {model.artifact_bytes / 1000:,.0f} kB"
    yield "files", str(history.artifact) if history.artifact else history.artifact_problem


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


def _scores(version: ModelVersion) -> Table:
    table = _table("sensor", "skill", "MASE", "MAE", "RMSE", "WAPE", "R²", "cover 80", "cover 95", "pinball")
    for column in table.columns[1:]:
        column.justify = "right"
    scores = version.model.scores
    for name, each in (*scores.sensors.items(), ("mean", scores.mean)):
        values = asdict(each)
        table.add_row(
            Text(name, "bold" if name == "mean" else ""), *(number(values[metric]) for metric in _METRICS)
        )
    return table


def _decisions(requests: Sequence[Request]) -> Iterator[str]:
    yield ""
    if not requests:
        yield "Nobody was asked about this version."
    for request in requests:
        opened = f"opened {shown(request.opened_at)} by {request.requested_by}"
        yield f"Request {request.id}, {request.state.value}, {opened}"
        for check in request.evidence.checks:
            yield f"  {check.verdict.value}: {check.name}: {check.says}"
        for decision in request.decisions:
            verb = "approved" if decision.choice.value == "approve" else "rejected"
            comment = f": {decision.comment}" if decision.comment else ""
            yield f"  {verb} by {decision.by}, {shown(decision.at)}{comment}"


def _origin_json(lineage: Lineage) -> dict[str, Json]:
    """How the model came to be; null is what nobody knows of a model that was trained elsewhere."""
    if isinstance(lineage, AdoptedLineage):
        unknown = (
            "component",
            "component_digest",
            "environment_version",
            "run",
            "job",
            "data_digest",
            "fingerprint",
        )
        adopted: Json = {
            "source": lineage.source,
            "stated": dict(lineage.stated),
            "lookback": lineage.lookback,
        }
        return {**dict.fromkeys(unknown), "adopted": adopted}
    return {
        "component": f"{lineage.component}:{lineage.component_version}",
        "component_digest": lineage.component_digest.hex,
        "environment_version": lineage.environment_version,
        "run": lineage.run,
        "job": lineage.job,
        "data_digest": lineage.data_digest.hex,
        "fingerprint": lineage.fingerprint.hex,
        "adopted": None,
    }


def _version_json(entry: VersionHistory) -> Json:
    model, lineage = entry.version.model, entry.version.model.lineage
    return {
        "version": entry.version.version,
        "state": entry.standing.value,
        "in_use": entry.in_use,
        "registered_at": iso(entry.version.registered_at),
        "changed": [
            {"field": change.field, "before": change.before, "after": change.after}
            for change in entry.changed
        ],
        "metrics": {
            "mean": asdict(model.scores.mean),
            "sensors": {name: asdict(each) for name, each in model.scores.sensors.items()},
        },
        "artifact": model.artifact.hex,
        "artifact_bytes": model.artifact_bytes,
        "trained_seconds": model.trained_seconds,
        "lineage": {
            "training_hash": lineage.training_hash.hex,
            "hash_schema": lineage.hash_schema,
            "inputs": dict(lineage.inputs),
            "commit": lineage.commit,
            **_origin_json(lineage),
        },
        "requests": [
            {
                "id": request.id,
                "state": request.state.value,
                "opened_at": iso(request.opened_at),
                "decisions": [
                    {
                        "by": decision.by.name,
                        "choice": decision.choice.value,
                        "comment": decision.comment,
                        "at": iso(decision.at),
                    }
                    for decision in request.decisions
                ],
            }
            for request in entry.requests
        ],
    }
