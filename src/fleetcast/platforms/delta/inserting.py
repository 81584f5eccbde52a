"""New rows beside many columns that they say nothing of: files with their own columns alone, and one commit.

delta-rs merges and appends by spreading every row over all columns of the table: a million rows of one sensor beside a
circuit of 2,000 take 16 GB. A file may lack columns of its table, which are then null.
"""

from __future__ import annotations

from pathlib import Path

import polars as pl
from deltalake import CommitProperties, DeltaTable, Field, Schema
from deltalake.schema import PrimitiveType
from deltalake.transaction import AddAction, RemoveAction

from fleetcast.platforms.delta.adding import added, write_part
from fleetcast.platforms.delta.merging import HOOKS, KEYS, Changes, partitions
from fleetcast.platforms.delta.opening import ROWS
from fleetcast.platforms.files.plainly_named import PlainlyNamed

MOST_CELLS = 20_000_000
"""What a merge may spread its rows over: 160 MB, several times."""


def is_spread_wide(table: DeltaTable, changes: Changes) -> bool:
    """Whether a merge would take much more memory than what it stores."""
    columns = {field.name for field in table.schema().fields} | set(changes.rows.columns)
    return len(changes.rows) * len(columns) > MOST_CELLS


def insert(location: PlainlyNamed, folder: Path, table: DeltaTable, rows: pl.DataFrame) -> int:
    """Commit rows whose keys the table does not hold; return the new version.

    Args:
        location: The table.
        folder: Its folder on this machine.
        table: Opened; another commit since makes this one fail, as it may hold the same keys.
        rows: Keys and sensors.

    Raises:
        DeltaError: Somebody committed meanwhile, or the table refuses; nobody sees the rows.
        OSError: The disk is full or read-only.
    """
    location.to_write(partitions(rows))
    actions: list[AddAction | RemoveAction] = []
    for (plant,), part in rows.sort(KEYS).partition_by("plant_id", as_dict=True).items():
        said = [name for name in part.columns if name in KEYS or part[name].null_count() < len(part)]
        partition = {"plant_id": str(plant)}
        written = write_part(
            location,
            lambda path, content: _put(folder / path, content),
            partition,
            part.select(name for name in said if name not in partition),
            ("circuit_id",),
        )
        actions.append(added(partition, written))
    fields = list(table.schema().fields)
    held = {field.name for field in fields}
    new = [
        Field(name, PrimitiveType("double"), nullable=True)
        for name in rows.columns
        if name not in held and rows[name].null_count() < len(rows)
    ]
    # Only one that overwrites may bring columns: it overwrites the plant without a name, of which there are no rows.
    table.create_write_transaction(
        actions,
        "overwrite" if new else "append",
        Schema(fields + new),
        partition_by=["plant_id"],
        partition_filters=[("plant_id", "=", "")] if new else None,
        commit_properties=CommitProperties(max_commit_retries=0, custom_metadata={ROWS: str(len(rows))}),
        post_commithook_properties=HOOKS,
    )
    table.update_incremental()
    return table.version()


def _put(path: Path, content: bytes) -> None:
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(content)
