from __future__ import annotations

import json
import re
import shutil
import subprocess
from dataclasses import replace
from datetime import timedelta
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest
import typer
from typer.testing import CliRunner

from fleetcast.cli.forecast import forecast
from fleetcast.cli.forecast_page import as_page
from fleetcast.cli.forecast_picture import as_png
from fleetcast.cli.forecast_text import as_text
from fleetcast.cli.whole_file import write_whole
from fleetcast.domain.errors import BadInput, Unavailable
from fleetcast.views.forecast import ForecastView, as_json, view_of
from fleetcast.workflows.forecast import CircuitForecast, MakeForecast
from tests.fleets import START, SmallFleet, small_fleet

CHROMIUM = next((found for name in ("chromium", "google-chrome") if (found := shutil.which(name))), None)


@pytest.fixture(scope="module")
def fleet(tmp_path_factory: pytest.TempPathFactory) -> SmallFleet:
    fleet = small_fleet(tmp_path_factory.mktemp("fleet"), "local", circuits=1)
    fleet.train()
    fleet.decide(comment="<script>alert(1)</script> & more")
    fleet.train()
    return fleet


@pytest.fixture(scope="module")
def made(fleet: SmallFleet) -> CircuitForecast:
    """A forecast whose approver wrote a terminal's command, as earlier versions let them."""
    make = MakeForecast(fleet.opened.platform, fleet.clock)
    found = make(fleet.circuit, at=START + timedelta(days=59))
    (approved,) = found.provenance.approvals
    noted = replace(approved, comment=f"{approved.comment} \x1b[31mred")
    return replace(found, provenance=replace(found.provenance, approvals=(noted,)))


@pytest.fixture
def view(made: CircuitForecast) -> ForecastView:
    return view_of(made)


def run(fleet: SmallFleet, *arguments: str) -> str:
    app = typer.Typer()
    app.command()(forecast)
    where = str(fleet.opened.directory)
    result = CliRunner().invoke(app, [str(fleet.circuit.key), "--fleet", where, *arguments])
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    assert result.exit_code == 0, result.output
    return result.stdout


def test_the_chart_fits_the_width_it_is_given(view: ForecastView) -> None:
    for width in (60, 100):
        drawn = [line for line in as_text(view, width=width, colour=False).splitlines() if "┤" in line]
        assert {len(line) for line in drawn} == {width}


def test_without_colour_no_escape_code_is_written_not_even_one_from_a_comment(view: ForecastView) -> None:
    assert "\x1b" not in as_text(view, width=80, colour=False)


def test_with_colour_no_background_is_painted(view: ForecastView) -> None:
    coloured = as_text(view, width=80, colour=True)
    assert "\x1b[38;5;4m" in coloured
    assert "\x1b[48" not in coloured


def test_every_sensor_has_a_chart_and_its_first_and_last_steps(view: ForecastView) -> None:
    text = as_text(view, width=80, colour=False)
    assert text.count("┌") == 3
    for sensor in view.sensors:
        assert sensor.shown(sensor.point[0]) in text
        assert sensor.shown(sensor.point[-1]) in text
    assert "2025-03-02 23:00" in text


def test_sensors_that_were_asked_for_come_in_that_order(made: CircuitForecast) -> None:
    chosen = view_of(made, ["vibration", "temperature", "vibration"])
    assert [sensor.name for sensor in chosen.sensors] == ["vibration", "temperature"]


def test_a_misspelt_sensor_is_refused_with_the_nearest_name(made: CircuitForecast) -> None:
    with pytest.raises(BadInput) as refused:
        view_of(made, ["temprature"])
    assert refused.value.fix == "did you mean 'temperature'?"


def test_json_holds_the_whole_forecast_and_nulls_for_holes(made: CircuitForecast) -> None:
    holed = replace(made, actuals=replace(made.actuals, values=made.actuals.values.copy()))
    holed.actuals.values[3, :] = np.nan
    document = json.loads(json.dumps(as_json(view_of(holed), made.provenance), allow_nan=False))
    temperature = document["sensors"]["temperature"]
    assert document["times"][0] == document["origin_at"] == "2025-03-01T00:00:00Z"
    assert temperature["point"] == made.forecast.point[:, 0].tolist()
    assert len(temperature["lower_95"]) == len(document["times"]) == 48
    assert temperature["actual"][3] is None
    assert temperature["hindsight"]["steps"] == 23
    assert document["provenance"]["artifact"] == made.provenance.artifact.hex


def test_the_picture_is_a_png_and_the_same_every_time(view: ForecastView) -> None:
    first = as_png(view)
    assert first.startswith(b"\x89PNG")
    assert as_png(view) == first


def test_the_page_is_the_same_every_time(view: ForecastView) -> None:
    assert as_page(view) == as_page(view)


class Links(HTMLParser):
    """Collects tags, and attributes that could load something."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.loads: list[str] = []
        self.ids: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        for name, value in attrs:
            if name in ("src", "href", "xlink:href") and not (value or "").startswith("#"):
                self.loads.append(f"{tag} {name}={value}")
            if name == "id":
                self.ids.append(value or "")


def test_the_page_loads_nothing_and_runs_nothing(view: ForecastView) -> None:
    page = as_page(view)
    found = Links()
    found.feed(page)
    assert found.loads == []
    assert "script" not in found.tags
    assert found.tags.count("svg") == 3
    assert "&lt;script&gt;alert(1)&lt;/script&gt; &amp;" in page
    assert not re.search(r"url\((?!#)", page)


def test_no_two_pictures_on_the_page_share_an_id(view: ForecastView) -> None:
    found = Links()
    found.feed(as_page(view))
    assert len(found.ids) == len(set(found.ids))


def test_a_forecast_of_one_step_of_one_sensor_can_be_drawn(made: CircuitForecast) -> None:
    whole = made.forecast
    arrays = {
        name: getattr(whole, name)[:1] for name in ("point", "lower_80", "upper_80", "lower_95", "upper_95")
    }
    short = view_of(
        replace(
            made,
            forecast=replace(whole, **arrays),
            actuals=replace(made.actuals, values=made.actuals.values[:0]),
        ),
        ["pressure"],
    )
    assert as_png(short).startswith(b"\x89PNG")
    assert "<svg" in as_page(short)
    assert "pressure" in as_text(short, width=60, colour=False)


def test_a_history_of_holes_can_be_drawn(made: CircuitForecast) -> None:
    empty = replace(made.history, values=np.full_like(made.history.values, np.nan))
    holed = view_of(replace(made, history=empty))
    assert as_png(holed).startswith(b"\x89PNG")
    assert "temperature" in as_text(holed, width=60, colour=False)


def test_values_are_shown_as_finely_as_the_interval_is_wide(view: ForecastView) -> None:
    sensor = view.sensors[0]
    narrow = replace(sensor, lower_80=np.array([0.9997]), upper_80=np.array([1.0003]))
    wide = replace(sensor, lower_80=np.array([-5e4]), upper_80=np.array([5e4]))
    assert narrow.shown(1.00004) == "1.000040"
    assert wide.shown(123456.7) == "123,457"
    assert sensor.shown(float("nan")) == "–"


def test_the_command_shows_charts_and_where_they_come_from(fleet: SmallFleet) -> None:
    shown = run(fleet, "--sensor", "pressure")
    assert shown.startswith("in the past: PLANT001/CIRCUIT01: 48 steps of 1h from 2025-03-02 00:00 UTC\n")
    assert "plant001-circuit01:1 (promoted)" in shown
    assert "\x1b" not in shown


def test_the_command_writes_a_picture_a_page_and_json(fleet: SmallFleet, tmp_path: Path) -> None:
    png, html = tmp_path / "f.png", tmp_path / "f.html"
    document = json.loads(
        run(fleet, "--png", str(png), "--html", str(html), "--format", "json", "--at", "2025-02-28")
    )
    assert document["origin_at"] == "2025-02-28T00:00:00Z"
    assert png.read_bytes().startswith(b"\x89PNG")
    assert html.read_text().startswith("<!doctype html>")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["f.html", "f.png"]


def test_a_moment_without_a_time_zone_is_refused(fleet: SmallFleet) -> None:
    with pytest.raises(BadInput, match="has no time zone"):
        run(fleet, "--at", "2025-02-28T12:00")


def test_a_file_in_a_missing_folder_or_on_a_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="there is no folder"):
        write_whole(tmp_path / "none" / "f.png", b"")
    with pytest.raises(BadInput, match="it is not a file"):
        write_whole(tmp_path, b"")


def test_a_file_that_cannot_be_written_leaves_nothing_behind() -> None:
    with pytest.raises(Unavailable, match=r"cannot write /proc/f\.png"):
        write_whole(Path("/proc/f.png"), b"")


def test_an_existing_file_is_replaced_whole(tmp_path: Path) -> None:
    target = tmp_path / "f.png"
    target.write_bytes(b"old and longer")
    write_whole(target, b"new")
    assert target.read_bytes() == b"new"
    assert list(tmp_path.iterdir()) == [target]


@pytest.mark.skipif(CHROMIUM is None, reason="no chromium or google-chrome on this machine")
def test_a_browser_draws_the_page_without_complaint(view: ForecastView, tmp_path: Path) -> None:
    page = tmp_path / "f.html"
    page.write_text(as_page(view), encoding="utf-8")
    command = [
        str(CHROMIUM),
        "--headless",
        "--no-sandbox",
        "--disable-gpu",
        "--disable-background-networking",
        "--enable-logging=stderr",
        f"--user-data-dir={tmp_path / 'profile'}",
        "--virtual-time-budget=2000",
        "--dump-dom",
        page.as_uri(),
    ]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0
    assert done.stdout.count("<svg") == 3
    assert "CONSOLE" not in done.stderr
