"""A forecast in the terminal: a chart for each sensor, the first and last steps, and where it comes from."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Iterator
from itertools import chain

import numpy as np

from fleetcast.domain.legible import legible
from fleetcast.views.forecast import ForecastView, SensorView

WIDEST = 120
NARROWEST = 40
WITHOUT_TERMINAL = 100
ROWS = 13
"""Of one chart, with its frame and title."""


_WHITE_BACKGROUND = "\x1b[48;5;15m"
"""What plotext puts behind a coloured line on any theme; a dark terminal should stay dark."""


def wants_colour() -> bool:
    """Whether standard output is a terminal whose user did not ask for plain text."""
    return sys.stdout.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


def width_to_fill() -> int:
    """Columns to use: the terminal's, within reason."""
    if not sys.stdout.isatty() and not os.environ.get("COLUMNS"):
        return WITHOUT_TERMINAL
    columns = shutil.get_terminal_size((WITHOUT_TERMINAL, 24)).columns
    return min(max(columns, NARROWEST), WIDEST)


def as_text(view: ForecastView, *, width: int, colour: bool) -> str:
    """The whole forecast for a terminal.

    Args:
        view: What to show.
        width: Columns of the charts.
        colour: Whether to use the terminal's colours; without, marks alone tell the lines apart.
    """
    lines = [*map(legible, (view.title, view.subtitle, *(f"note: {note}" for note in view.notes))), ""]
    for sensor in view.sensors:
        lines += [chart(sensor, width=width, colour=colour), ""]
    lines += [_legend(view), "", *_table(view), ""]
    longest = max(len(label) for label, _ in view.provenance)
    lines += [f"{label:<{longest}}  {legible(value)}" for label, value in view.provenance]
    return "\n".join(line.rstrip() if not colour else line for line in lines)


def chart(sensor: SensorView, *, width: int, colour: bool) -> str:
    """One sensor's history, forecast and 80 % interval as a block of text."""
    import plotext

    plotext.terminal.limit(width=False, height=False)
    figure = plotext.figure
    figure.clear()
    figure.theme("colorless")
    figure.plot_size(width, ROWS)
    figure.title(sensor.title)
    past, ahead = len(sensor.history), len(sensor.point)
    before, after = np.arange(-past, 0), np.arange(ahead)
    for steps, values, mark, tint, joined in (
        (after, sensor.lower_80, "·", "cyan", False),
        (after, sensor.upper_80, "·", "cyan", False),
        (before, sensor.history, "braille", None, True),
        (after, sensor.point, "braille", "blue", True),
        (np.arange(len(sensor.actuals)), sensor.actuals, "×", "orange", False),
    ):
        seen = np.isfinite(values)
        if not seen.any():
            continue
        signal = figure.signal(
            steps[seen].tolist(),
            values[seen].tolist(),
            marker=plotext.marker(mark, tint) if tint else mark,
        )
        _join(signal, steps[seen], joined=joined)
        figure.draw(signal)
    figure.line(0, "vertical", style="dotted", pixel=plotext.pixel("gray"))
    figure.ruler("x").lim(-past, max(ahead - 1, 1))
    places = _ticks(sensor, width)
    figure.ruler("x").ticks([place for place, _ in places], [label for _, label in places])
    drawn = str(figure.build().string(not colour)).rstrip("\n")
    return drawn.replace(_WHITE_BACKGROUND, "")


def _join(signal: object, steps: np.ndarray, *, joined: bool) -> None:
    """Draw lines between neighbouring steps, never across a hole."""
    if not joined:
        return
    for number in np.flatnonzero(np.diff(steps, prepend=steps[0]) == 1):
        signal.line(int(number))  # type: ignore[attr-defined]  # plotext has no types


def _ticks(sensor: SensorView, width: int) -> list[tuple[int, str]]:
    """Where to write the time, at the origin and at even distances from it, and what."""
    times = np.concatenate([sensor.history_times, sensor.times])
    past = len(sensor.history)
    every = max(1, len(times) // max(2, width // 16))
    hours = (times[-1] - times[0]) <= np.timedelta64(3, "D")
    places = sorted({*range(past, -1, -every), *range(past, len(times), every)})
    labels = [times[place].astype("datetime64[s]").item() for place in places]
    form = "%d %b %H:%M" if hours or every * (times[1] - times[0]) < np.timedelta64(1, "D") else "%Y-%m-%d"
    return [(place - past, label.strftime(form)) for place, label in zip(places, labels, strict=True)]


def _legend(view: ForecastView) -> str:
    read = "   × read since" if any(len(sensor.actuals) for sensor in view.sensors) else ""
    return f"left of the dotted line: history; right: ⣀⠤⠒ forecast   · 80 % interval{read}"


def _table(view: ForecastView) -> Iterator[str]:
    """The first two and the last step of every sensor."""
    steps = sorted({0, min(1, view.steps - 1), view.steps - 1})
    rows = [("sensor", "time (UTC)", "forecast", "80 % interval", "95 % interval")]
    for sensor in view.sensors:
        for place, step in enumerate(steps):
            rows.append(
                (
                    sensor.title if place == 0 else "",
                    str(sensor.times[step].astype("datetime64[s]")).replace("T", " ").removesuffix(":00"),
                    sensor.shown(sensor.point[step]),
                    f"{sensor.shown(sensor.lower_80[step])} to {sensor.shown(sensor.upper_80[step])}",
                    f"{sensor.shown(sensor.lower_95[step])} to {sensor.shown(sensor.upper_95[step])}",
                )
            )
    widths = [max(len(row[column]) for row in rows) for column in range(5)]
    lines = (
        f"{name:<{widths[0]}}  {time:<{widths[1]}}  {point:>{widths[2]}}  {near:>{widths[3]}}  {far:>{widths[4]}}"
        for name, time, point, near, far in rows
    )
    since = (f"{sensor.name}: {said}" for sensor in view.sensors if (said := sensor.said_of_hindsight()))
    return chain(lines, since)
