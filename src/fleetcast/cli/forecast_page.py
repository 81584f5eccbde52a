"""A forecast as one page that needs nothing else: pictures, numbers, and where it comes from."""

from __future__ import annotations

import html
from importlib.resources import files
from string import Template

from fleetcast.cli.forecast_picture import as_svg
from fleetcast.domain.legible import legible
from fleetcast.views.forecast import ForecastView, SensorView
from fleetcast.views.moments import shown


def escape(text: str) -> str:
    """Text for HTML, of which nothing is hidden and nothing obeyed."""
    return html.escape(legible(text))


def as_page(view: ForecastView) -> str:
    """The whole page; everything that comes from data is escaped, and nothing is loaded from elsewhere."""
    template = files("fleetcast.cli").joinpath("forecast_page.html").read_text(encoding="utf-8")
    read = any(len(sensor.actuals) for sensor in view.sensors)
    return Template(template).substitute(
        title=escape(view.title),
        subtitle=escape(view.subtitle),
        made=escape(shown(view.made_at)),
        notes="\n".join(f'<p class="note">{escape(note)}</p>' for note in view.notes),
        read='<li><i class="actual"></i>read since</li>' if read else "",
        sensors="\n".join(_section(sensor) for sensor in view.sensors),
        provenance="\n".join(
            f'<tr><th scope="row">{escape(label)}</th><td>{escape(value)}</td></tr>'
            for label, value in view.provenance
        ),
    )


def _section(sensor: SensorView) -> str:
    return f"""<section>
<h2>{escape(sensor.title)}</h2>
<p class="quiet">{escape(_summary(sensor))}</p>
{as_svg(sensor)}
<details>
<summary>{len(sensor.point)} steps in numbers</summary>
<div class="scroll">
<table>
<tr><th>time (UTC)</th><th>forecast</th><th>80 % from</th><th>to</th><th>95 % from</th><th>to</th></tr>
{_rows(sensor)}
</table>
</div>
</details>
</section>"""


def _summary(sensor: SensorView) -> str:
    first, last = 0, len(sensor.point) - 1
    ends = [("first step", first)] + ([("last step", last)] if last else [])
    parts = [
        f"{name} {sensor.shown(sensor.point[step])} "
        f"(80 %: {sensor.shown(sensor.lower_80[step])} to {sensor.shown(sensor.upper_80[step])})"
        for name, step in ends
    ]
    return "; ".join([*parts, *([said] if (said := sensor.said_of_hindsight()) else [])])


def _rows(sensor: SensorView) -> str:
    columns = (sensor.point, sensor.lower_80, sensor.upper_80, sensor.lower_95, sensor.upper_95)
    return "\n".join(
        f"<tr><td>{str(time).replace('T', ' ')}</td>"
        + "".join(f"<td>{escape(sensor.shown(float(column[step])))}</td>" for column in columns)
        + "</tr>"
        for step, time in enumerate(sensor.times.astype("datetime64[s]"))
    )
