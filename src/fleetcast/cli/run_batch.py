"""`fleetcast run-batch`: train a batch of circuits from folders; what a job in the cloud runs."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from fleetcast.cli.output import say


def run_batch(
    batch: Annotated[Path, typer.Option(help="Folder with the batch.json that says what to train.")],
    rows: Annotated[Path, typer.Option(help="Folder with the rows to train on.")],
    output: Annotated[Path, typer.Option(help="Folder for models, outcomes and logs.")],
    workers: Annotated[
        int | None, typer.Option(min=1, help="Jobs at the same time; as many as there are cores.")
    ] = None,
) -> None:
    """Train a batch of circuits from folders. A job in the cloud runs this; people use `fleetcast train`.

    A circuit that fails stops no other: what became of each stands below jobs/ in the output.

    For example:

    fleetcast run-batch --batch jobs/1 --rows frozen --output out
    """
    from fleetcast.app.batches import running_batch

    failed = 0
    for job, error in running_batch(batch, rows, output, workers):
        failed += bool(error)
        say(f"{job}: {error or 'completed'}")
    if failed:
        say(f"{failed} failed", err=True)
