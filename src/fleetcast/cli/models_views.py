"""Models as tables."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict

from rich.progress import BarColumn, MofNCompleteColumn, TextColumn
from rich.progress import Progress as Bar

from fleetcast.cli.output import say_next, say_wrapped
from fleetcast.cli.plain_rich import Console, Text
from fleetcast.cli.tables import Cell, Column, Table, an_id, moments, numbers, show, show_facts, words
from fleetcast.domain.model import ModelVersion
from fleetcast.domain.standing import PromotionState
from fleetcast.domain.wording import counted
from fleetcast.pipeline.situation import Report
from fleetcast.views.circuits import left_in_words, retired_in_words
from fleetcast.views.models import baseline_of, decisions, facts, number
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
_METRICS: dict[str, tuple[str, int | None]] = {
    "skill": ("skill", None),
    "mase": ("MASE", None),
    "mae": ("MAE", None),
    "rmse": ("RMSE", 6),
    "wape": ("WAPE", 4),
    "r2": ("R²", 3),
    "coverage_80": ("cover 80", 5),
    "coverage_95": ("cover 95", 1),
    "pinball": ("pinball", 2),
}
"""Each with its title, and its turn to go from a narrow table."""
DECLARES = "fleetcast circuits add PLANT001/CIRCUIT01"


def print_rows(rows: Sequence[ModelRow], console: Console) -> None:
    """Show one line for each circuit."""
    columns = (
        an_id("circuit"),
        numbers("selected"),
        numbers("champion", goes=7),
        words("state"),
        an_id("family", goes=6),
        numbers("skill"),
        numbers("MASE", goes=5),
        numbers("cover 80", goes=3),
        moments("trained", goes=4),
        an_id("cutoff", goes=1),
        an_id("training hash", goes=2),
    )
    empty = "No circuit is declared. To declare one:"
    table = Table(columns, [_model(row) for row in rows], empty=empty, then=DECLARES)
    show(table, console)
    if not rows:
        return
    retired = sum(1 for row in rows if row.retired)
    trained = sum(1 for row in rows if row.selected is not None)
    promoted = sum(1 for row in rows if row.selected and row.selected.standing is PromotionState.PROMOTED)
    say_next(
        console,
        f"\n{counted(len(rows) - retired, 'circuit')}, {trained} with a model, {promoted} promoted. More of one:",
        "fleetcast models show PLANT/CIRCUIT",
    )
    if retired:
        say_next(
            console,
            f"{counted(retired, 'circuit')} retired. Since when:",
            "fleetcast circuits list --retired",
        )


def _model(row: ModelRow) -> tuple[Cell, ...]:
    champion = None if row.champion is None else str(row.champion)
    chosen = row.selected
    if chosen is None:
        state = Text("retired", "magenta") if row.retired else Text("not trained", "dim")
        return (str(row.key), None, champion, state, *[None] * 7)
    return (
        str(row.key),
        str(chosen.version),
        champion,
        _standing(chosen.standing),
        chosen.family,
        number(chosen.skill),
        number(chosen.mase),
        number(chosen.coverage_80),
        chosen.registered_at,
        chosen.cutoff,
        chosen.training_hash[:12],
    )


def print_history(history: ModelHistory, console: Console) -> None:
    """Show all versions, then one in detail."""
    console.print(Text(f"{history.key}: {history.model}", style="bold"))
    if history.retired is not None:
        console.print(Text(retired_in_words(history.retired), "yellow"))
        console.print(Text(left_in_words(history.retired)))
    columns = (
        an_id("version"),
        words("state"),
        numbers("skill"),
        numbers("MASE", goes=1),
        moments("registered", goes=3),
        an_id("training hash", goes=2),
        words("changed"),
    )
    rows = [
        (
            f"{entry.version.version}{' selected' if entry.selected else ''}",
            _standing(entry.standing),
            number(entry.version.model.scores.mean.skill),
            number(entry.version.model.scores.mean.mase),
            entry.version.registered_at,
            entry.version.training_hash.short,
            ", ".join(map(str, entry.changed)) or None,
        )
        for entry in history.versions
    ]
    show(Table(columns, rows), console)
    console.print(Text(f"\nVersion {history.detail.version.version}", style="bold"))
    show_facts(facts(history), console, whole=("files",))
    console.print()
    show(_scores(history.detail.version), console)
    console.print("MAE, RMSE and pinball are in each sensor's own unit, so they have no mean", style="dim")
    console.print()
    for line in decisions(history.detail.requests):
        say_wrapped(console, line)


def _standing(standing: PromotionState) -> Text:
    return Text(standing.value, _STYLES.get(standing, ""))


def _scores(version: ModelVersion) -> Table:
    columns: list[Column] = [
        an_id("sensor"),
        *(numbers(title, goes=goes) for title, goes in _METRICS.values()),
        words("baseline", goes=7),
    ]
    scores = version.model.scores
    rows: list[tuple[Cell, ...]] = []
    for name, each in (*scores.sensors.items(), ("mean", scores.overall)):
        values = asdict(each)
        title = Text(name, "bold" if name == "mean" else "")
        rows.append((title, *(number(values[metric]) for metric in _METRICS), baseline_of(scores, name)))
    return Table(columns, rows)


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
