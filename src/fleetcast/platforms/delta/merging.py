"""What a merge changes, found before writing, and the one commit that writes it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import polars as pl
from deltalake import DeltaTable, PostCommitHookProperties, WriterProperties, write_deltalake

KEYS = ("plant_id", "circuit_id", "timestamp")
_STORED = "\x00stored"
# Small enough that reading one circuit skips the others' row groups, large enough to compress well.
_WRITER = WriterProperties(compression="ZSTD", max_row_group_size=65_536)
# A version that a circuit names must stay readable for as long as it is named: nothing expires on its own.
_RETENTION = {
    "delta.logRetentionDuration": "interval 36500 days",
    "delta.deletedFileRetentionDuration": "interval 36500 days",
}
_HOOKS = PostCommitHookProperties(create_checkpoint=True, cleanup_expired_logs=False)


@dataclass(frozen=True, slots=True)
class Changes:
    """The rows that differ from the table, with every cell as it is to be stored."""

    rows: pl.DataFrame
    inserted: int
    updated: int


def changes_between(rows: pl.DataFrame, stored: pl.DataFrame) -> Changes:
    """Compare rows with what the table holds for their keys.

    Args:
        rows: Keys and sensors; a null cell says nothing.
        stored: Keys and those of the sensors of `rows` that the table has.
    """
    sensors = [name for name in rows.columns if name not in KEYS]
    old = stored.rename({name: name + _STORED for name in stored.columns if name not in KEYS})
    joined = rows.join(old.with_columns(pl.lit(1).alias(_STORED)), on=KEYS, how="left", maintain_order="left")
    new = pl.col(_STORED).is_null()
    differs = [
        pl.col(name).is_not_null() & pl.col(name).ne_missing(pl.col(name + _STORED))
        if name + _STORED in joined.columns
        else pl.col(name).is_not_null()
        for name in sensors
    ]
    changed = joined.filter(new | pl.any_horizontal(differs))
    inserted = int(changed.select(new.sum()).item())
    cells = [
        pl.coalesce(name, name + _STORED).alias(name) if name + _STORED in joined.columns else pl.col(name)
        for name in sensors
    ]
    return Changes(changed.select(*KEYS, *cells), inserted, len(changed) - inserted)


def partitions(rows: pl.DataFrame) -> list[str]:
    """The folders below the table that these rows are written to."""
    return [f"plant_id={plant}" for plant in rows["plant_id"].unique().sort()]


def create(location: str, rows: pl.DataFrame, options: dict[str, str]) -> None:
    """Write the table's version 0."""
    write_deltalake(
        location,
        rows.sort(KEYS),
        mode="error",
        storage_options=options,
        partition_by=["plant_id"],
        configuration=_RETENTION,
        writer_properties=_WRITER,
        post_commithook_properties=_HOOKS,
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
        post_commithook_properties=_HOOKS,
    )
    merger.when_matched_update_all().when_not_matched_insert_all().execute()
    return table.version()


def _literal(moment: datetime) -> str:
    return moment.isoformat()
