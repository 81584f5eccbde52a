"""`fleetcast fit`: train one circuit from files; what the training component's step runs."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from fleetcast.cli.output import say


def fit(
    task: Annotated[Path, typer.Option(help="JSON file that says what to train, as the job was handed it.")],
    data: Annotated[Path, typer.Option(help="Parquet file with the rows to train on.")],
    output: Annotated[Path, typer.Option(help="Folder to write the model to.")],
) -> None:
    """Train one circuit from files. The training component's step runs this; people use `fleetcast train`.

    For example:

    fleetcast fit --task task.json --data rows.parquet --output model
    """
    from fleetcast.pipeline.fit import fit_from_files

    say(fit_from_files(task, data, output))
