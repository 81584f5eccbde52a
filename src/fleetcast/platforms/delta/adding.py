"""Files that a commit of a Delta table adds: written first, seen by nobody before the commit names them."""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import cast
from uuid import uuid4

import polars as pl
from deltalake.transaction import AddAction

from fleetcast.platforms.files.plainly_named import PlainlyNamed
from fleetcast.ports.forecasts import WrittenPart

_ROW_GROUP = 65_536
PutFile = Callable[[str, bytes], None]
"""Keeps a file below the table, durably, before anything names it."""
Partition = Mapping[str, str]
"""Of a file: the columns that all its rows share, by name, in the order of the table's folders."""


def write_part(
    location: PlainlyNamed, put: PutFile, partition: Partition, rows: pl.DataFrame, bounded: Sequence[str]
) -> WrittenPart:
    """Keep rows in a file of a partition.

    Args:
        location: The table.
        put: Keeps the file.
        partition: What the rows share; these columns are not among theirs.
        rows: At least one.
        bounded: Columns whose least and greatest values let readers skip the file.
    """
    folders = [f"{name}={value}" for name, value in partition.items()]
    path = "/".join([*folders, f"{uuid4().hex}.parquet"])
    content = io.BytesIO()
    rows.write_parquet(content, compression="zstd", row_group_size=_ROW_GROUP)
    written = content.getvalue()
    location.to_write(folders)
    put(path, written)
    return WrittenPart(path, len(written), len(rows), _statistics(rows, bounded))


def added(partition: Partition, part: WrittenPart) -> AddAction:
    """What names a file in a commit."""
    return AddAction(
        path=part.path,
        size=part.bytes,
        partition_values=dict(partition),
        modification_time=now_millis(),
        data_change=True,
        stats=part.statistics,
    )


def now_millis() -> int:
    """The present as logs of Delta tables write it."""
    return int(datetime.now(UTC).timestamp() * 1000)


def _statistics(rows: pl.DataFrame, bounded: Sequence[str]) -> str:
    """As readers of Delta tables look at them to skip files."""
    least, most = ({name: _plain(getattr(rows[name], end)()) for name in bounded} for end in ("min", "max"))
    return json.dumps({"numRecords": len(rows), "minValues": least, "maxValues": most})


def _plain(value: object) -> str:
    # Milliseconds, cut: the greatest time of a forecast is a whole step, as all are.
    return value.isoformat(timespec="milliseconds") if isinstance(value, datetime) else cast("str", value)
