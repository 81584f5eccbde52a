"""What a merge changes, found before writing, and the one commit that writes it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import polars as pl
from deltalake import DeltaTable, PostCommitHookProperties, WriterProperties, write_deltalake

from fleetcast.domain.identity import CircuitKey
from fleetcast.platforms.delta.panics import without_panics
from fleetcast.ports.readings import Difference, Stored, StoredReadingsDiffer

KEYS = ("plant_id", "circuit_id", "timestamp")
_STORED = "\x00stored"
_SHOWN = 3
"""How many readings a refusal names."""
# Small enough that reading one circuit skips the others' row groups, large enough to compress well.
_WRITER = WriterProperties(compression="ZSTD", max_row_group_size=65_536)
# A version that a circuit names must stay readable for as long as it is named: nothing expires on its own.
RETENTION = {
    "delta.logRetentionDuration": "interval 36500 days",
    "delta.deletedFileRetentionDuration": "interval 36500 days",
}
HOOKS = PostCommitHookProperties(create_checkpoint=True, cleanup_expired_logs=False)


@dataclass(frozen=True, slots=True)
class Changes:
    """The rows that differ from the table, with every cell as it is to be stored."""

    rows: pl.DataFrame
    inserted: int
    updated: int
    differing: int
    """Stored readings that differ from those given."""


def changes_between(rows: pl.DataFrame, held: pl.DataFrame, stored: Stored = Stored.REPLACED) -> Changes:
    """Compare rows with what the table holds for their keys.

    Args:
        rows: Keys and sensors; a null cell says nothing.
        held: Keys and those of the sensors of `rows` that the table has.
        stored: What becomes of readings that it holds otherwise.

    Raises:
        StoredReadingsDiffer: There are such, and they are refused.
    """
    sensors = [name for name in rows.columns if name not in KEYS]
    old = held.rename({name: name + _STORED for name in held.columns if name not in KEYS})
    joined = rows.join(old.with_columns(pl.lit(1).alias(_STORED)), on=KEYS, how="left", maintain_order="left")
    known = [name for name in sensors if name + _STORED in joined.columns]
    other = {
        name: pl.all_horizontal(
            pl.col(name).is_not_null(),
            pl.col(name + _STORED).is_not_null(),
            pl.col(name).ne_missing(pl.col(name + _STORED)),
        )
        for name in known
    }
    counts = joined.select(differs.sum().alias(name) for name, differs in other.items())
    differing = sum(counts.row(0)) if known else 0
    if differing and stored is Stored.REFUSED:
        raise StoredReadingsDiffer(differing, _differences(joined, other))
    new = pl.col(_STORED).is_null()
    says = [
        pl.col(name).is_not_null()
        & (
            pl.col(name + _STORED).is_null()
            if stored is Stored.KEPT
            else pl.col(name).ne_missing(pl.col(name + _STORED))
        )
        if name in other
        else pl.col(name).is_not_null()
        for name in sensors
    ]
    changed = joined.filter(new | pl.any_horizontal(says))
    inserted = int(changed.select(new.sum()).item())
    kept_first = stored is Stored.KEPT
    cells = [
        pl.coalesce(*((name + _STORED, name) if kept_first else (name, name + _STORED))).alias(name)
        if name in other
        else pl.col(name)
        for name in sensors
    ]
    return Changes(changed.select(*KEYS, *cells), inserted, len(changed) - inserted, differing)


def _differences(joined: pl.DataFrame, other: dict[str, pl.Expr]) -> list[Difference]:
    """The first few, by circuit and time."""
    first = joined.filter(pl.any_horizontal(other.values())).sort(KEYS).head(_SHOWN)
    marked = first.with_columns(differs.alias("\x00" + name) for name, differs in other.items())
    return [
        Difference(
            CircuitKey(row["plant_id"], row["circuit_id"]),
            row["timestamp"],
            name,
            stored=row[name + _STORED],
            given=row[name],
        )
        for row in marked.iter_rows(named=True)
        for name in other
        if row["\x00" + name]
    ][:_SHOWN]


def partitions(rows: pl.DataFrame) -> list[str]:
    """The folders below the table that these rows are written to."""
    return [f"plant_id={plant}" for plant in rows["plant_id"].unique().sort()]


def create(location: str, rows: pl.DataFrame, options: dict[str, str]) -> None:
    """Write the table's version 0."""
    with without_panics():
        write_deltalake(
            location,
            rows.sort(KEYS),
            mode="error",
            storage_options=options,
            partition_by=["plant_id"],
            configuration=RETENTION,
            writer_properties=_WRITER,
            post_commithook_properties=HOOKS,
        )


def write_changes(table: DeltaTable, changes: Changes) -> int:
    """Commit the changes as one merge on the version that `table` has open; return the new version.

    The plants and the time bound stand in the predicate as literals: without them a merge of one day reads
    the whole table.
    """
    plants = ", ".join(f"'{plant}'" for plant in changes.rows["plant_id"].unique().sort())
    first, last = changes.rows.select(
        pl.col("timestamp").min().alias("a"), pl.col("timestamp").max().alias("b")
    ).row(0)
    predicate = " AND ".join(
        (
            *(f"target.{key} = source.{key}" for key in KEYS),
            f"target.plant_id IN ({plants})",
            f"target.timestamp >= '{_literal(first)}'",
            f"target.timestamp <= '{_literal(last)}'",
        )
    )
    merger = table.merge(
        changes.rows,
        predicate,
        source_alias="source",
        target_alias="target",
        merge_schema=True,
        writer_properties=_WRITER,
        post_commithook_properties=HOOKS,
    )
    with without_panics():
        merger.when_matched_update_all().when_not_matched_insert_all().execute()
    return table.version()


def _literal(moment: datetime) -> str:
    return moment.isoformat()
