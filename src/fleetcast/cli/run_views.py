"""Runs as they went."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

from fleetcast.cli.plain_rich import Console, Table, Text
from fleetcast.domain.run import Ending, Run
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
    if not runs:
        console.print("no runs yet; start one with `fleetcast train`")
        return
    table = Table(box=None, pad_edge=False, header_style="bold")
    for column in ("run", "state", "by", "started (UTC)", "took", "commit", "last stage"):
        table.add_column(column)
    for run in runs:
        last = max(run.stages, key=lambda record: record.ended_at, default=None)
        table.add_row(
            run.id,
            state_in_words(run, at_work=at_work),
            run.by,
            f"{run.started_at:%Y-%m-%d %H:%M:%S}",
            took_in_words(run, now if at_work and run.state.is_unfinished else None),
            short_commit(run.commit),
            begun_in_words(run, at_work=at_work)
            or (f"{last.stage}: {last.says.splitlines()[0]}" if last else ""),
        )
    console.print(table)


def print_run(
    run: Run, console: Console, *, folder: Path, jobs: PagesOfRun, at_work: bool, now: datetime
) -> None:
    """One run, stage by stage."""
    from fleetcast.pipeline.stages import STAGES

    console.print(
        f"{run.id}: {state_in_words(run, at_work=at_work)}, started {run.started_at:%Y-%m-%d %H:%M:%S} UTC by "
        f"{run.by}, commit {run.commit}"
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
        console.print("`fleetcast train` continues it")
    table = Table(box=None, pad_edge=False, header_style="bold")
    for column in ("stage", "ending", "took", "what"):
        table.add_column(column)
    for entry in STAGES:
        record = next((record for record in run.stages if record.stage == entry.name), None)
        if record:
            ending = Text(record.ending.value, ENDING_STYLES[record.ending])
            table.add_row(entry.name, ending, f"{record.seconds:.2f} s", record.says)
        else:
            table.add_row(entry.name, Text("not yet", "dim"), "", "")
    console.print(table)
    console.print(f"files: {folder}")
    for page in jobs.pages:
        console.print(Text(f"{page.title}: {page.url}"), soft_wrap=True)
    if jobs.unknown:
        console.print(Text(f"where the platform shows its jobs is not known: {jobs.unknown}"), soft_wrap=True)
