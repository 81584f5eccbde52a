"""Simulating: a made-up fleet's readings into the readings table."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import numpy as np
import polars as pl

from fleetcast.domain.duration import EARLIEST, LATEST, format_duration
from fleetcast.domain.errors import BadInput
from fleetcast.domain.identity import CircuitKey
from fleetcast.forecasting.simulation import DEFAULT_START, SENSORS, Defects, Simulated, simulate_circuit
from fleetcast.ports.readings import WritableReadingsTable
from fleetcast.workflows.unique_rows import unique_rows

MOST_ROWS = 50_000_000
"""Of some 100 bytes each, twice while they are merged."""


@dataclass(frozen=True, slots=True)
class SimulatedFleet:
    """What to make up: `plants` × `circuits` circuits with readings every `frequency`."""

    plants: int
    circuits: int
    """For each plant."""
    length: timedelta = timedelta(days=365)
    frequency: timedelta = timedelta(hours=1)
    start: datetime = DEFAULT_START
    """Aware UTC; a multiple of the frequency is not required."""
    seed: int = 7
    defects: Defects = field(default_factory=Defects)
    """For each circuit."""

    def __post_init__(self) -> None:
        if not (1 <= self.plants <= 999 and 1 <= self.circuits <= 999):
            raise BadInput(
                f"a fleet of {self.plants} plants with {self.circuits} circuits each cannot be simulated",
                fix="choose 1 to 999 of each",
            )
        if self.seed < 0:
            raise BadInput(f"seed {self.seed} is negative", fix="write a whole number from 0")
        if self.steps < 1:
            raise BadInput(
                f"{self.length} is shorter than one step of {self.frequency}", fix="simulate a longer time"
            )
        if not EARLIEST <= self.start < LATEST or self.length > LATEST - self.start:
            raise BadInput(
                f"readings of {format_duration(self.length)} from {self.start:%Y-%m-%d} on do not lie within the years "
                "1900 to 2199",
                fix="start nearer to now, or simulate a shorter time",
            )
        rows = self.plants * self.circuits * self.steps
        if rows > MOST_ROWS:
            raise BadInput(
                f"{rows:,} rows cannot be simulated at once, which takes memory for all of them",
                fix=f"choose fewer circuits, a shorter time or a longer step: at most {MOST_ROWS:,} rows",
            )

    @property
    def steps(self) -> int:
        """Readings of each sensor."""
        return self.length // self.frequency

    def circuit_keys(self) -> Iterator[CircuitKey]:
        """`PLANT001/CIRCUIT01` and so on, in order."""
        for plant in range(1, self.plants + 1):
            for circuit in range(1, self.circuits + 1):
                yield CircuitKey(f"PLANT{plant:03d}", f"CIRCUIT{circuit:02d}")


@dataclass(frozen=True, slots=True)
class SimulationReport:
    """What was made up and stored."""

    plants: int
    circuits: int
    """In all."""
    sensors: tuple[str, ...]
    rows: int
    """Rows made, duplicates included."""
    exact_duplicates: int
    conflicting_duplicates: int
    late_rows: int
    gaps: int
    stuck: int
    inserted: int
    updated: int
    version: int
    first: datetime
    last: datetime


@dataclass(frozen=True, slots=True)
class Simulate:
    """Store a made-up fleet's readings: one commit, and a second one for the rows that arrive late."""

    table: WritableReadingsTable

    def __call__(self, fleet: SimulatedFleet) -> SimulationReport:
        """Make the readings and merge them; a repeat with the same arguments writes nothing.

        Raises:
            Unavailable: The table could not be written.
        """
        made = [
            simulate_circuit(fleet.seed, key, fleet.start, fleet.steps, fleet.frequency, fleet.defects)
            for key in fleet.circuit_keys()
        ]
        punctual = unique_rows(_rows([(one, slice(0, len(one.times) - one.late)) for one in made]))
        outcomes = [self.table.merge(punctual.rows)]
        late_rows = sum(one.late for one in made)
        exact, conflicting = punctual.exact, punctual.conflicting
        if late_rows:
            late = unique_rows(_rows([(one, slice(len(one.times) - one.late, None)) for one in made]))
            outcomes.append(self.table.merge(late.rows))
            exact, conflicting = exact + late.exact, conflicting + late.conflicting
        return SimulationReport(
            plants=fleet.plants,
            circuits=len(made),
            sensors=SENSORS,
            rows=sum(len(one.times) for one in made),
            exact_duplicates=exact,
            conflicting_duplicates=conflicting,
            late_rows=late_rows,
            gaps=fleet.defects.gaps * len(made),
            stuck=fleet.defects.stuck * len(made),
            inserted=sum(outcome.inserted for outcome in outcomes),
            updated=sum(outcome.updated for outcome in outcomes),
            version=outcomes[-1].version,
            first=fleet.start,
            last=fleet.start + (fleet.steps - 1) * fleet.frequency,
        )


def _rows(parts: list[tuple[Simulated, slice]]) -> pl.DataFrame:
    sizes = [len(one.times[part]) for one, part in parts]
    values = np.concatenate([one.values[part] for one, part in parts])
    times = pl.Series("timestamp", np.concatenate([one.times[part] for one, part in parts]))
    return pl.DataFrame(
        [
            _repeated("plant_id", [one.key.plant for one, _ in parts], sizes),
            _repeated("circuit_id", [one.key.circuit for one, _ in parts], sizes),
            times.cast(pl.Datetime("us")).dt.replace_time_zone("UTC"),
            *(pl.Series(name, np.ascontiguousarray(values[:, i])) for i, name in enumerate(SENSORS)),
        ]
    )


def _repeated(name: str, ids: list[str], sizes: list[int]) -> pl.Series:
    return pl.Series(name, ids).gather(np.repeat(np.arange(len(ids)), sizes))
