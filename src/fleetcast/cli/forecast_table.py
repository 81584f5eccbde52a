"""Forecasts of many circuits in the terminal: a line for each sensor, and what to know of them below."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from typing import TypeVar

import numpy as np
from rich.progress import track

from fleetcast.cli.plain_rich import Console, Table, Text
from fleetcast.domain.wording import counted
from fleetcast.views.forecast import ForecastView, SensorView

T = TypeVar("T")
_NAMED = 3
"""Circuits that a note names before it counts the others."""


def watched(each: Iterable[T], total: int) -> Iterable[T]:
    """Show on a terminal how many of them are there."""
    return track(
        each,
        "forecasting",
        total,
        console=Console(stderr=True),
        transient=True,
        disable=not sys.stderr.isatty(),
    )


def print_forecasts(views: Sequence[ForecastView], console: Console) -> None:
    """Every sensor of some forecasts: its last reading, where it goes, and how sure that is at the end."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    for column in ("circuit", "model", "sensor"):
        table.add_column(column, overflow="fold")
    for column in ("last reading", "next step", "lowest", "highest", "at the end", "80 % there"):
        table.add_column(column, justify="right")
    table.add_column("until")
    for view in views:
        for number, sensor in enumerate(view.sensors):
            first = number == 0
            table.add_row(
                Text(str(view.key) if first else ""),
                Text(f"{view.model}:{view.version}" if first else ""),
                Text(sensor.title),
                *_numbers(sensor),
                f"{view.until:%Y-%m-%d %H:%M}" if first else "",
            )
    console.print(table)
    notes: dict[str, list[str]] = {}
    for view in views:
        for note in view.notes:
            notes.setdefault(note, []).append(str(view.key))
    for note, circuits in notes.items():
        console.print(Text(f"note: {note}: {_some(circuits)}"))


def _numbers(sensor: SensorView) -> list[str]:
    read = sensor.history[np.isfinite(sensor.history)]
    values = (
        float(read[-1]) if read.size else float("nan"),
        sensor.point[0],
        sensor.point.min(),
        sensor.point.max(),
        sensor.point[-1],
    )
    interval = f"{sensor.shown(sensor.lower_80[-1])} to {sensor.shown(sensor.upper_80[-1])}"
    return [*(sensor.shown(float(value)) for value in values), interval]


def _some(circuits: Sequence[str]) -> str:
    named = ", ".join(circuits[:_NAMED])
    return f"{named} and {counted(len(circuits) - _NAMED, 'more')}" if len(circuits) > _NAMED else named
