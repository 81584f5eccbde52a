"""A run as it goes, and as it went."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from rich.progress import Progress as Bar
from rich.table import Table
from rich.text import Text

from fleetcast.cli.options import View
from fleetcast.domain.run import Ending, Run, RunState, StageRecord
from fleetcast.pipeline.runner import StageWatcher
from fleetcast.pipeline.situation import Progress, StageResult
from fleetcast.pipeline.stages import STAGES, StageEntry
from fleetcast.pipeline.training import TrainingMonitored
from fleetcast.views.runs import short_commit

_STYLES = {
    Ending.DONE: "green",
    Ending.AWAITING: "yellow",
    Ending.STILL_RUNNING: "yellow",
    Ending.FAILED: "bold red",
}
_MANY = 10
_NUMBER = {entry.name: number for number, entry in enumerate(STAGES, start=1)}


@contextmanager
def watching(view: View) -> Iterator[StageWatcher]:
    """Show stages as they run: a line each when done, and a bar with counts and time left while one works.

    Everything goes to standard error when the result is JSON, so that standard output stays clean.
    """
    console = Console(highlight=False, stderr=view is View.JSON, soft_wrap=True)
    bar = Bar(
        TextColumn("  {task.description}"),
        BarColumn(bar_width=30),
        MofNCompleteColumn(),
        TextColumn("{task.fields[note]}"),
        TimeElapsedColumn(),
        TextColumn("left"),
        TimeRemainingColumn(),
        console=console,
        transient=True,
        disable=not console.is_terminal,
    )
    tasks: dict[str, int] = {}

    def begins(_entry: StageEntry) -> None:
        for task in list(bar.task_ids):
            bar.remove_task(task)
        tasks.clear()

    def progress(entry: StageEntry, seen: Progress) -> None:
        if entry.name not in tasks:
            tasks[entry.name] = bar.add_task(entry.name, total=seen.total, note="")
        note = f"{seen.failed} failed" if seen.failed else seen.note
        bar.update(bar.task_ids[0], completed=seen.done, total=seen.total, note=note)

    def ended(entry: StageEntry, record: StageRecord, result: StageResult | None) -> None:
        begins(entry)
        console.print(
            Text.assemble(
                (f"{_NUMBER[entry.name]} ", "dim"),
                f"{entry.name:<19} ",
                (f"{record.ending.value:<18}", _STYLES[record.ending]),
                (f"{record.seconds:6.1f} s  ", "dim"),
                record.says.splitlines()[0],
            )
        )
        if isinstance(result, TrainingMonitored):
            _print_failures(result, console)

    with bar:
        yield StageWatcher(begins, progress, ended)


def print_runs(runs: Sequence[Run], console: Console) -> None:
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
            run.state.value,
            run.by,
            f"{run.started_at:%Y-%m-%d %H:%M:%S}",
            f"{sum(record.seconds for record in run.stages):.1f} s",
            short_commit(run.commit),
            f"{last.stage}: {last.says.splitlines()[0]}" if last else "",
        )
    console.print(table)


def print_run(run: Run, console: Console, *, folder: Path) -> None:
    """One run, stage by stage."""
    console.print(
        f"{run.id}: {run.state.value}, started {run.started_at:%Y-%m-%d %H:%M:%S} UTC by {run.by}, commit {run.commit}"
    )
    if run.state is RunState.OPEN:
        console.print("it is running, or was interrupted: `fleetcast train` continues it")
    table = Table(box=None, pad_edge=False, header_style="bold")
    for column in ("stage", "ending", "took", "what"):
        table.add_column(column)
    for entry in STAGES:
        record = next((record for record in run.stages if record.stage == entry.name), None)
        if record:
            ending = Text(record.ending.value, _STYLES[record.ending])
            table.add_row(entry.name, ending, f"{record.seconds:.2f} s", record.says)
        else:
            table.add_row(entry.name, Text("not yet", "dim"), "", "")
    console.print(table)
    console.print(f"files: {folder}")


def _print_failures(result: TrainingMonitored, console: Console) -> None:
    for job in result.failed[:_MANY]:
        console.print(Text(f"    {job.task.key} failed after {job.attempt} attempts: {job.error}", "red"))
    if len(result.failed) > _MANY:
        console.print(f"    and {len(result.failed) - _MANY} more: see completed_jobs.json")
    if result.failed:
        keys = ",".join(str(job.task.key) for job in result.failed[:_MANY])
        console.print(f"    continue with: fleetcast train --circuits {keys}")
        sys.stdout.flush()
