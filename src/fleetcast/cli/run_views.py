"""Runs as they went."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from rich.console import Console
from rich.text import Text

from fleetcast.cli.output import say, say_line
from fleetcast.cli.tables import Cell, Table, an_id, moments, numbers, show, words
from fleetcast.domain.run import Ending, Run
from fleetcast.views.moments import shown
from fleetcast.views.runs import short_commit, state_in_words
from fleetcast.workflows.look import PagesOfRun

ENDING_STYLES = {
    Ending.DONE: "green",
    Ending.AWAITING: "yellow",
    Ending.STILL_RUNNING: "yellow",
    Ending.FAILED: "bold red",
}


def print_runs(runs: Sequence[Run], console: Console, *, at_work: bool) -> None:
    """Runs as a table."""
    columns = (
        an_id("run"),
        words("state"),
        words("by", goes=2),
        moments("started", goes=4),
        numbers("took", goes=3),
        an_id("commit", goes=1),
        words("last stage"),
    )
    rows = [_run(run, at_work=at_work) for run in runs]
    show(Table(columns, rows, empty="No run yet. To start one:", then="fleetcast train"), console)


def _run(run: Run, *, at_work: bool) -> tuple[Cell, ...]:
    last = max(run.stages, key=lambda record: record.ended_at, default=None)
    return (
        run.id,
        state_in_words(run, at_work=at_work),
        run.by,
        run.started_at,
        f"{sum(record.seconds for record in run.stages):.1f} s",
        short_commit(run.commit),
        f"{last.stage}: {last.says.splitlines()[0]}" if last else "",
    )


def print_run(run: Run, console: Console, *, folder: Path, jobs: PagesOfRun, at_work: bool) -> None:
    """One run, stage by stage."""
    state = state_in_words(run, at_work=at_work)
    console.print(
        Text(f"{run.id}: {state}, started {shown(run.started_at)} by {run.by}, commit {run.commit}")
    )
    if run.state.is_unfinished and at_work:
        console.print("somebody is at work on it")
    elif run.state.is_unfinished:
        say(console, "to continue it:", "fleetcast train")
    columns = an_id("stage"), words("ending"), numbers("took", goes=1), words("what")
    show(Table(columns, list(_stages(run))), console)
    say_line(console, f"files: {folder}")
    for page in jobs.pages:
        say_line(console, f"{page.title}: {page.url}")
    if jobs.unknown:
        say_line(console, f"where the platform shows its jobs is not known: {jobs.unknown}")


def _stages(run: Run) -> Iterator[tuple[Cell, ...]]:
    from fleetcast.pipeline.stages import STAGES

    for entry in STAGES:
        record = next((record for record in run.stages if record.stage == entry.name), None)
        if record:
            ending = Text(record.ending.value, ENDING_STYLES[record.ending])
            yield entry.name, ending, f"{record.seconds:.2f} s", record.says
        else:
            yield entry.name, Text("not yet", "dim"), "", ""
