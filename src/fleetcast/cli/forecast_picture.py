"""A forecast as a picture: small multiples, one panel a sensor, as PNG or as SVG for a page."""

from __future__ import annotations

import io
import math
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from fleetcast.views.forecast import ForecastView, Moments, SensorView
from fleetcast.views.moments import shown

if TYPE_CHECKING:
    from matplotlib.axes import Axes

INK, QUIET, FORECAST, ACTUAL = "#1f2328", "#6e7781", "#0072b2", "#d55e00"
"""Dark, grey, and the blue and the orange that most colour-blind people tell apart."""
BAND_80, BAND_95 = 0.30, 0.14
"""Opacity of the intervals."""
_RULES: Mapping[Any, Any] = {
    "font.family": ["DejaVu Sans"],
    "font.size": 9,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.edgecolor": QUIET,
    "axes.linewidth": 0.6,
    "xtick.color": QUIET,
    "ytick.color": QUIET,
    "text.parse_math": False,
    "svg.hashsalt": "fleetcast",
    "timezone": "UTC",
}
_TALLEST = 60.0
"""Inches of a picture with very many sensors."""


def as_png(view: ForecastView) -> bytes:
    """All sensors in one picture; the same view gives the same bytes."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    columns = 1 if len(view.sensors) <= 3 else 2
    rows = math.ceil(len(view.sensors) / columns)
    height = min(1.35 + 2.1 * rows, _TALLEST)
    with _drawing():
        figure = Figure(figsize=(7.2 * columns + 1.2, height), dpi=110, facecolor="white")
        FigureCanvasAgg(figure)
        grid = figure.subplots(rows, columns, squeeze=False, sharex=True)
        panels = [panel for row in grid for panel in row]
        for panel, sensor in zip(panels, view.sensors, strict=False):
            _draw(panel, sensor)
            panel.set_title(
                sensor.title, parse_math=False, loc="left", color=INK, fontsize=10, fontweight="bold"
            )
            panel.tick_params(labelbottom=True)
        for panel in panels[len(view.sensors) :]:
            panel.set_axis_off()
        figure.text(
            0.01, 1 - 0.22 / height, view.title, fontsize=13, fontweight="bold", color=INK, va="center"
        )
        said = f"{view.subtitle}; made {shown(view.made_at)}"
        figure.text(0.01, 1 - 0.5 / height, said, fontsize=9, color=QUIET, va="center")
        handles, labels = panels[0].get_legend_handles_labels()
        handles, labels = handles[2:] + handles[1::-1], labels[2:] + labels[1::-1]
        figure.legend(
            handles,
            labels,
            loc="upper left",
            bbox_to_anchor=(0.003, 1 - 0.6 / height),
            ncols=len(labels),
            frameon=False,
            fontsize=9,
            labelcolor=INK,
        )
        figure.tight_layout(rect=(0, 0, 1, 1 - 0.9 / height), h_pad=0.9, w_pad=1.4)
        written = io.BytesIO()
        figure.savefig(written, format="png", metadata={"Software": None})
    return written.getvalue()


def as_svg(sensor: SensorView) -> str:
    """One sensor as an `<svg>` element whose colours are CSS variables: --ink, --quiet, --forecast, --actual."""
    from matplotlib.backends.backend_svg import FigureCanvasSVG
    from matplotlib.figure import Figure

    with _drawing({"svg.fonttype": "none", "svg.hashsalt": sensor.name}):
        figure = Figure(figsize=(10, 2.5), facecolor="none")
        FigureCanvasSVG(figure)
        panel = figure.subplots()
        panel.set_facecolor("none")
        _draw(panel, sensor)
        figure.tight_layout(pad=0.3)
        written = io.StringIO()
        figure.savefig(written, format="svg", metadata={"Date": None, "Creator": None})
    return _inline(written.getvalue(), sensor.name)


@contextmanager
def _drawing(more: Mapping[Any, Any] | None = None) -> Iterator[None]:
    """Our own look, whatever the machine's matplotlib is set to."""
    import matplotlib as mpl

    with mpl.rc_context():
        mpl.rcdefaults()
        mpl.rcParams.update({**_RULES, **(more or {})})
        yield


def _draw(panel: Axes, sensor: SensorView) -> None:
    from matplotlib.dates import AutoDateLocator, ConciseDateFormatter

    for low, high, opacity, label in (
        (sensor.lower_95, sensor.upper_95, BAND_95, "95 % interval"),
        (sensor.lower_80, sensor.upper_80, BAND_80, "80 % interval"),
    ):
        panel.fill_between(
            _days(sensor.times), low, high, color=FORECAST, alpha=opacity, linewidth=0, label=label
        )
    panel.plot(_days(sensor.history_times), sensor.history, color=INK, linewidth=1.0, label="history")
    panel.plot(
        _days(sensor.times),
        sensor.point,
        color=FORECAST,
        linewidth=1.6,
        marker="o" if len(sensor.point) < 3 else "",
        markersize=3,
        label="forecast",
    )
    if len(sensor.actuals):
        panel.plot(
            _days(sensor.actual_times), sensor.actuals, color=ACTUAL, linewidth=1.0, label="read since"
        )
    panel.axvline(_days(sensor.times[:1])[0], color=QUIET, linewidth=0.8, linestyle=(0, (4, 3)))
    panel.margins(x=0.01)
    panel.grid(axis="y", color=QUIET, alpha=0.25, linewidth=0.5)
    panel.tick_params(length=3, labelsize=8)
    locator = AutoDateLocator(minticks=4, maxticks=9)  # type: ignore[no-untyped-call]
    panel.xaxis.set_major_locator(locator)
    panel.xaxis.set_major_formatter(
        ConciseDateFormatter(  # type: ignore[no-untyped-call]
            locator,
            formats=["%Y", "%b", "%d %b", "%H:%M", "%H:%M", "%H:%M:%S"],
            zero_formats=["", "%Y", "%d %b", "%d %b", "%H:%M", "%H:%M"],
            show_offset=False,
        )
    )
    panel.yaxis.get_major_formatter().set_useOffset(False)  # type: ignore[attr-defined]  # a ScalarFormatter


def _days(times: Moments) -> list[float]:
    """Days since 1970-01-01 UTC: matplotlib's own unit, which needs no converter."""
    from matplotlib.dates import date2num

    return [float(day) for day in date2num(times)]  # type: ignore[no-untyped-call]


def _inline(svg: str, name: str) -> str:
    """The bare element: no prologue, no ids that another picture on the page has too, colours by variable."""
    svg = svg[svg.index("<svg") :].strip()
    svg = re.sub(r"<metadata>.*?</metadata>", "", svg, flags=re.DOTALL)
    svg = re.sub(r'<g id="[^"]*"', "<g", svg)
    for colour, variable in ((INK, "ink"), (QUIET, "quiet"), (FORECAST, "forecast"), (ACTUAL, "actual")):
        svg = svg.replace(colour, f"var(--{variable})")
    svg = re.sub(r"font: ([\d.]+px) [^;\"]*", r"font-size: \1", svg)
    size = re.search(r'viewBox="[^"]*"', svg)
    opening = f'<svg {size[0] if size else ""} role="img" aria-label="{name}: history and forecast"'
    opening += ' xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink">'
    return re.sub(r"^<svg[^>]*>", opening, svg)
