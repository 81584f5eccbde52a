"""The newest readings of a circuit: as many as are looked at, and the last of a sensor that is silent since."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import polars as pl

from fleetcast.app import open_own_table
from fleetcast.serving.newest import NewestReadings
from tests.fleets import small_fleet


def test_of_a_sensor_that_is_silent_the_last_reading_is_remembered(tmp_path: Path) -> None:
    fleet = small_fleet(tmp_path, days=20, sensors=2, circuits=1)
    table = open_own_table(fleet.opened.directory)
    speaks, silent = fleet.circuit.targets
    newest = NewestReadings(fleet.opened.platform.workspace.tables, fleet.clock)
    fleet.clock.moment = fleet.last + timedelta(hours=1)
    assert newest.get(fleet.circuit, None).last_good == {}
    hours = [fleet.last + timedelta(hours=number) for number in range(1, 24 * 30)]
    rows = pl.DataFrame(
        {
            "plant_id": [fleet.circuit.key.plant] * len(hours),
            "circuit_id": [fleet.circuit.key.circuit] * len(hours),
            "timestamp": hours,
            speaks: [1.0] * len(hours),
        }
    ).with_columns(pl.col("timestamp").cast(pl.Datetime("us", "UTC")))
    table.merge(rows)
    fleet.clock.moment = hours[-1] + timedelta(hours=1)
    found = newest.get(fleet.circuit, None)
    assert found.history.silent == (silent,)
    assert set(found.last_good) == {silent}
    assert found.history.end == fleet.clock.moment
    assert len(found.history) <= 24 * 14
