"""Forecasts of many circuits in the terminal: a line for each sensor, and what to know of them below."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from typing import TypeVar

import numpy as np
from rich.progress import track

from fleetcast.cli.plain_rich import Console, Text
from fleetcast.cli.tables import Cell, Table, an_id, moments, numbers, show
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
    columns = (
        an_id("circuit"),
        an_id("model", goes=1),
        an_id("sensor"),
        numbers("last reading", goes=4),
        numbers("next step", goes=5),
        numbers("lowest", goes=2),
        numbers("highest", goes=3),
        numbers("at the end"),
        numbers("80 % there"),
        moments("until", goes=6),
    )
    rows: list[tuple[Cell, ...]] = [
        (
            str(view.key),
            f"{view.model}:{view.version}",
            sensor.title,
            *_numbers(sensor),
            view.until,
        )
        for view in views
        for sensor in view.sensors
    ]
    show(Table(columns, rows), console)
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
