"""One row for each circuit and time, out of rows that may repeat them."""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

KEYS = ("plant_id", "circuit_id", "timestamp")


@dataclass(frozen=True, slots=True)
class UniqueRows:
    """Rows with unique keys, sorted by key, and how many rows were dropped for it."""

    rows: pl.DataFrame
    exact: int
    """Equal to another row, cell by cell."""
    conflicting: int
    """Same key as another row, other readings; the last reading of each sensor, in the order given, won."""


def unique_rows(rows: pl.DataFrame) -> UniqueRows:
    """Keep, for each key, the last reading of every sensor in the order of the rows.

    A null cell yields to an earlier reading, so that a file gives the same table whole and in parts.
    """
    repeated = rows.select(pl.struct(KEYS).is_duplicated()).to_series()
    if not repeated.any():
        return UniqueRows(rows.sort(KEYS), 0, 0)
    doubled = rows.filter(repeated)
    different = doubled.unique(maintain_order=True)
    merged = doubled.group_by(KEYS, maintain_order=True).agg(pl.exclude(KEYS).drop_nulls().last())
    once = pl.concat([rows.filter(~repeated), merged], how="vertical")
    return UniqueRows(once.sort(KEYS), len(doubled) - len(different), len(different) - len(merged))
