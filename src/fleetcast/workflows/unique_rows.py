"""One row for each circuit and time, out of rows that may repeat them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import polars as pl

from fleetcast.domain.identity import CircuitKey
from fleetcast.domain.ingest import OnConflict

KEYS = ("plant_id", "circuit_id", "timestamp")
SHOWN = 3
"""How many conflicts are shown, and how many readings of each."""
_PLACE, _COUNT, _AT_ODDS = "\x00place", "\x00count", "\x00at odds"


@dataclass(frozen=True, slots=True)
class PlacedConflict:
    """Different readings of one circuit, time and sensor, and which of the rows given hold them."""

    circuit: CircuitKey
    at: datetime
    sensor: str
    places: Sequence[int]
    values: Sequence[float]


@dataclass(frozen=True, slots=True)
class UniqueRows:
    """Rows with unique keys, sorted by key, and how many rows were dropped for it."""

    rows: pl.DataFrame
    exact: int = 0
    """Equal to another row, cell by cell."""
    joined: int = 0
    """Same key as another row, and nothing that contradicts it: each brought sensors that the other lacks."""
    conflicting: int = 0
    """Same key as another row, other readings."""
    conflicts: int = 0
    """Keys and sensors with different readings."""
    first: tuple[PlacedConflict, ...] = ()
    """Of the conflicts, by key."""


def unique_rows(rows: pl.DataFrame, on_conflict: OnConflict = OnConflict.LAST) -> UniqueRows:
    """Make one row of all that have the same key, sensor by sensor.

    A null cell yields to a reading, so that a file gives the same table whole and in parts. Equal readings count
    once, in means too. With `REFUSE` it is for the caller to refuse.
    """
    repeated = rows.select(pl.struct(KEYS).is_duplicated()).to_series()
    if not repeated.any():
        return UniqueRows(rows.sort(KEYS))
    sensors = [name for name in rows.columns if name not in KEYS]
    doubled = rows.filter(repeated)
    different = doubled.unique(maintain_order=True)
    groups = different.group_by(KEYS, maintain_order=True)
    merged = groups.agg(_settled(name, on_conflict) for name in sensors)
    at_odds = groups.agg(
        pl.len().alias(_COUNT), *(pl.col(name).drop_nulls().n_unique() > 1 for name in sensors)
    ).with_columns(pl.any_horizontal(sensors).alias(_AT_ODDS))
    told = merged.filter(pl.any_horizontal(pl.col(sensors).is_not_null()))
    folded = at_odds.select(
        joined=(pl.col(_COUNT) - 1).filter(~pl.col(_AT_ODDS)).sum(),
        conflicting=(pl.col(_COUNT) - 1).filter(_AT_ODDS).sum(),
        conflicts=pl.sum_horizontal(pl.col(name).sum() for name in sensors),
    ).row(0, named=True)
    return UniqueRows(
        pl.concat([rows.filter(~repeated), told], how="vertical").sort(KEYS),
        exact=len(doubled) - len(different),
        joined=folded["joined"],
        conflicting=folded["conflicting"] + len(merged) - len(told),
        conflicts=folded["conflicts"],
        first=_first_conflicts(rows, at_odds, sensors) if folded["conflicts"] else (),
    )


def _settled(sensor: str, on_conflict: OnConflict) -> pl.Expr:
    readings = pl.col(sensor).drop_nulls()
    match on_conflict:
        case OnConflict.FIRST:
            return readings.first()
        case OnConflict.MEAN:
            # Sorted, as sums of floats depend on their order; the clip keeps sums finite.
            once = readings.unique().sort()
            return once.mean().clip(once.min(), once.max())
        case OnConflict.DROP:
            return pl.when(readings.n_unique() == 1).then(readings.first())
        case OnConflict.LAST | OnConflict.REFUSE:
            return readings.last()


def _first_conflicts(
    rows: pl.DataFrame, at_odds: pl.DataFrame, sensors: Sequence[str]
) -> tuple[PlacedConflict, ...]:
    found: list[PlacedConflict] = []
    for key in at_odds.filter(_AT_ODDS).sort(KEYS).head(SHOWN).iter_rows(named=True):
        same = rows.with_row_index(_PLACE).filter(pl.col(name) == key[name] for name in KEYS)
        for sensor in (name for name in sensors if key[name]):
            held = same.filter(pl.col(sensor).is_not_null()).head(SHOWN)
            circuit = CircuitKey(key["plant_id"], key["circuit_id"])
            places, values = held[_PLACE].to_list(), held[sensor].to_list()
            found.append(PlacedConflict(circuit, key["timestamp"], sensor, places, values))
    return tuple(found[:SHOWN])
