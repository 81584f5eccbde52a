"""Models as tables."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict

from rich.progress import BarColumn, MofNCompleteColumn, TextColumn
from rich.progress import Progress as Bar

from fleetcast.cli.plain_rich import Console, Table, Text
from fleetcast.domain.model import ModelVersion
from fleetcast.domain.standing import PromotionState
from fleetcast.domain.wording import counted
from fleetcast.pipeline.situation import Report
from fleetcast.views.circuits import left_in_words, retired_in_words
from fleetcast.views.models import baseline_of, decisions, facts, number
from fleetcast.views.moments import shown
from fleetcast.views.unloadable import unloadable_in_words
from fleetcast.workflows.inspect_models import ModelHistory, ModelRow
from fleetcast.workflows.verify_models import VerifiedModels

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
    table = _table("circuit", "selected", "champion", "state", "family", "skill", "MASE", "cover 80")
    for column in ("trained", "cutoff", "training hash"):
        table.add_column(column)
    for place in (1, 2, 5, 6, 7):
        table.columns[place].justify = "right"
    for row in rows:
        champion = "–" if row.champion is None else str(row.champion)
        chosen = row.selected
        if chosen is None:
            state = Text("retired", "magenta") if row.retired else Text("not trained", "dim")
            table.add_row(str(row.key), "–", champion, state, *["–"] * 7)
            continue
        table.add_row(
            str(row.key),
            str(chosen.version),
            champion,
            _standing(chosen.standing),
            chosen.family,
            number(chosen.skill),
            number(chosen.mase),
            number(chosen.coverage_80),
            shown(chosen.registered_at).removesuffix(" UTC"),
            chosen.cutoff,
            chosen.training_hash[:12],
        )
    console.print(table)
    trained = sum(1 for row in rows if row.selected is not None)
    promoted = sum(1 for row in rows if row.selected and row.selected.standing is PromotionState.PROMOTED)
    retired = sum(1 for row in rows if row.retired)
    console.print(
        f"\n{counted(len(rows) - retired, 'circuit')}, {trained} with a model, {promoted} promoted. "
        "More of one: fleetcast models show PLANT/CIRCUIT"
    )
    if retired:
        console.print(
            f"{counted(retired, 'circuit')} retired: fleetcast circuits list --retired says since when"
        )


def print_history(history: ModelHistory, console: Console) -> None:
    """Show all versions, then one in detail."""
    console.print(Text(f"{history.key}: {history.model}", style="bold"))
    if history.retired is not None:
        console.print(Text(retired_in_words(history.retired), "yellow"))
        console.print(Text(left_in_words(history.retired)))
    table = _table("version", "state", "skill", "MASE", "registered (UTC)", "training hash", "changed")
    for entry in history.versions:
        mean = entry.version.model.scores.mean
        changed = ", ".join(map(str, entry.changed)) or "–"
        table.add_row(
            f"{entry.version.version}{' selected' if entry.selected else ''}",
            _standing(entry.standing),
            number(mean.skill),
            number(mean.mase),
            shown(entry.version.registered_at).removesuffix(" UTC"),
            entry.version.training_hash.short,
            Text(changed),
        )
    console.print(table)
    console.print(Text(f"\nVersion {history.detail.version.version}", style="bold"))
    grid = Table.grid(padding=(0, 2))
    for label, value in facts(history):
        grid.add_row(Text(label, style="dim"), Text(value))
    console.print(grid)
    console.print()
    console.print(_scores(history.detail.version))
    console.print("MAE, RMSE and pinball are in each sensor's own unit, so they have no mean", style="dim")
    console.print()
    for line in decisions(history.detail.requests):
        console.print(Text(line))


def _table(*columns: str) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold")
    for column in columns:
        table.add_column(column, overflow="fold")
    return table


def _standing(standing: PromotionState) -> Text:
    return Text(standing.value, _STYLES.get(standing, ""))


def _scores(version: ModelVersion) -> Table:
    table = _table("sensor", "skill", "MASE", "MAE", "RMSE", "WAPE", "R²", "cover 80", "cover 95", "pinball")
    table.add_column("baseline")
    for column in table.columns[1:-1]:
        column.justify = "right"
    scores = version.model.scores
    for name, each in (*scores.sensors.items(), ("mean", scores.overall)):
        values = asdict(each)
        table.add_row(
            Text(name, "bold" if name == "mean" else ""),
            *(number(values[metric]) for metric in _METRICS),
            baseline_of(scores, name),
        )
    return table


@contextmanager
def verifying() -> Iterator[Report]:
    """A line that says how far reading the models has come; nothing where nobody looks."""
    shown = Console(stderr=True)
    with Bar(
        TextColumn("  reading models"),
        BarColumn(bar_width=30),
        MofNCompleteColumn(),
        console=shown,
        transient=True,
        disable=not shown.is_terminal,
    ) as bar:
        task = bar.add_task("", total=None)
        yield lambda seen: bar.update(task, completed=seen.done, total=seen.total)


def print_verified(verified: VerifiedModels, console: Console) -> None:
    """Show what verifying found."""
    for model in verified.unloadable:
        console.print(Text(f"{model.key}: {unloadable_in_words(model)}", style="red"))
    whole = verified.read - len(verified.unloadable)
    console.print(f"{counted(verified.read, 'model')} in use read, {whole:,} as they were registered")
    if verified.unloadable:
        console.print("restore the artifacts, or raise `revision` of these circuits to train them again")
