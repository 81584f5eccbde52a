"""Runs as they went."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from pathlib import Path

from fleetcast.cli.output import say_line, say_next
from fleetcast.cli.plain_rich import Console, Text
from fleetcast.cli.tables import Cell, Table, an_id, moments, numbers, show, words
from fleetcast.domain.run import Ending, Run
from fleetcast.views.moments import shown
from fleetcast.views.runs import begun_in_words, short_commit, state_in_words, took_in_words
from fleetcast.workflows.look import PagesOfRun

ENDING_STYLES = {
    Ending.DONE: "green",
    Ending.AWAITING: "yellow",
    Ending.STILL_RUNNING: "yellow",
    Ending.FAILED: "bold red",
}


def print_runs(runs: Sequence[Run], console: Console, *, at_work: bool, now: datetime) -> None:
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
    rows = [_run(run, at_work=at_work, now=now) for run in runs]
    show(Table(columns, rows, empty="No run yet. To start one:", then="fleetcast train"), console)


def _run(run: Run, *, at_work: bool, now: datetime) -> tuple[Cell, ...]:
    last = max(run.stages, key=lambda record: record.ended_at, default=None)
    return (
        run.id,
        state_in_words(run, at_work=at_work),
        run.by,
        run.started_at,
        took_in_words(run, now if at_work and run.state.is_unfinished else None),
        short_commit(run.commit),
        begun_in_words(run, at_work=at_work)
        or (f"{last.stage}: {last.says.splitlines()[0]}" if last else ""),
    )


def print_run(
    run: Run, console: Console, *, folder: Path, jobs: PagesOfRun, at_work: bool, now: datetime
) -> None:
    """One run, stage by stage."""
    state = state_in_words(run, at_work=at_work)
    console.print(
        Text(f"{run.id}: {state}, started {shown(run.started_at)} by {run.by}, commit {run.commit}")
    )
    at_work = at_work and run.state.is_unfinished
    console.print(
        Text(f"took {took_in_words(run, now if at_work else None)}" + (" so far" if at_work else ""))
    )
    begun = begun_in_words(run, at_work=at_work)
    if begun:
        console.print(Text(begun))
    if at_work and not begun:
        console.print("somebody is at work on it")
    if run.state.is_unfinished and not at_work:
        say_next(console, "to continue it:", "fleetcast train")
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
