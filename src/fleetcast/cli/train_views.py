"""A run as it goes."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager

from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from rich.progress import Progress as Bar

from fleetcast.cli.agent import Agent
from fleetcast.cli.options import View
from fleetcast.cli.plain_rich import Console, Text
from fleetcast.cli.run_views import ENDING_STYLES
from fleetcast.domain.run import StageRecord
from fleetcast.domain.wording import counted
from fleetcast.pipeline.data import DataRegistered
from fleetcast.pipeline.runner import StageWatcher
from fleetcast.pipeline.situation import Progress, StageResult
from fleetcast.pipeline.stages import STAGES, StageEntry
from fleetcast.pipeline.training import TrainingMonitored

_MANY = 10
_NUMBER = {entry.name: number for number, entry in enumerate(STAGES, start=1)}


@contextmanager
def watching(view: View) -> Iterator[StageWatcher]:
    """Show stages as they run: a line each when done, and a bar with counts and time left while one works.

    Everything goes to standard error when the result is JSON, so that standard output stays clean.
    """
    console = Console(stderr=view is View.JSON, soft_wrap=True)
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
    agent = Agent()
    tasks: dict[str, int] = {}

    def begins(_entry: StageEntry) -> None:
        for task in list(bar.task_ids):
            bar.remove_task(task)
        tasks.clear()

    def progress(entry: StageEntry, seen: Progress) -> None:
        if entry.name not in tasks:
            tasks[entry.name] = bar.add_task(entry.name, total=seen.total, note="")
        agent.progress(seen.done, seen.total, entry.name)
        note = f"{seen.failed} failed" if seen.failed else seen.note
        bar.update(bar.task_ids[0], completed=seen.done, total=seen.total, note=note)

    def ended(entry: StageEntry, record: StageRecord, result: StageResult | None) -> None:
        begins(entry)
        console.print(
            Text.assemble(
                (f"{_NUMBER[entry.name]} ", "dim"),
                f"{entry.name:<19} ",
                (f"{record.ending.value:<18}", ENDING_STYLES[record.ending]),
                (f"{record.seconds:6.1f} s  ", "dim"),
                record.says.splitlines()[0],
            )
        )
        if isinstance(result, DataRegistered):
            _print_unfit(result, console)
        if isinstance(result, TrainingMonitored):
            for torn in result.set_aside:
                console.print(Text(f"    {torn}", "yellow"))
            _print_failures(result, console)
            agent.warn(f"{job.task.key} failed: {job.error}" for job in result.failed[:_MANY])

    with bar:
        yield StageWatcher(begins, progress, ended)


def _print_unfit(result: DataRegistered, console: Console) -> None:
    """Why circuits cannot be trained, in the words of `plan` and `status`; of a single one the stage has said it."""
    for asset in result.blocked[:_MANY] if len(result.blocked) > 1 else ():
        console.print(Text(f"    {asset.key} is not trained: {asset.blocked}", "yellow"))
    if len(result.blocked) > _MANY:
        console.print(f"    and {len(result.blocked) - _MANY:,} more: fleetcast plan")
    if result.blocked:
        console.print(f"    what was measured of it: fleetcast data quality {result.blocked[0].key}")


def _print_failures(result: TrainingMonitored, console: Console) -> None:
    for job in result.failed[:_MANY]:
        attempts = counted(job.attempt, "attempt")
        console.print(Text(f"    {job.task.key} failed after {attempts}: {job.error}", "red"))
    if len(result.failed) > _MANY:
        console.print(f"    and {len(result.failed) - _MANY} more: see completed_jobs.json")
    if result.failed:
        keys = ",".join(str(job.task.key) for job in result.failed[:_MANY])
        if result.parked:
            failed = counted(len(result.parked), "circuit")
            console.print(f"    {failed} failed in the same way each time, and is not tried again by itself")
        console.print(
            Text(f"    what its job said: fleetcast runs logs {result.failed[0].id}"), soft_wrap=True
        )
        retry = "--retry-failed " if result.parked else ""
        console.print(f"    fix the cause, then continue with: fleetcast train {retry}--circuits {keys}")
        sys.stdout.flush()
