"""Removing the files of a Delta table that no version needs which somebody names."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import timedelta

from deltalake import DeltaTable
from deltalake.exceptions import DeltaError

from fleetcast.domain.errors import Unavailable
from fleetcast.platforms.delta.opening import DeltaVersions


def vacuumed(
    versions: DeltaVersions,
    table: DeltaTable | None,
    keep: Collection[int],
    older_than: timedelta,
    *,
    dry_run: bool,
) -> Sequence[str]:
    """Remove, or only name, the files; the newest version stays readable, whatever is asked.

    Args:
        versions: The table, for what it is called.
        table: The same, opened at its newest version; None: there is none.
        keep: Versions that must stay readable.
        older_than: Files that a newer version replaced more recently than this stay.
        dry_run: Only say which.

    Raises:
        Unavailable: The store refuses.
    """
    if table is None:
        return []
    hours = int(older_than.total_seconds() // 3600)
    kept = sorted({version for version in keep if 0 <= version < table.version()})
    try:
        # What an earlier one removed stays in the log, and is named again.
        named = table.vacuum(
            hours, dry_run=True, enforce_retention_duration=False, full=True, keep_versions=kept
        )
        gone = versions.present(named)
        if gone and not dry_run:
            table.vacuum(
                hours, dry_run=False, enforce_retention_duration=False, full=True, keep_versions=kept
            )
    except (DeltaError, OSError) as error:
        raise Unavailable(
            f"the {versions.table_name} at {versions.place} cannot be cleaned up: {versions.said(error)}",
            fix="check the disk and its rights; what was not removed can be removed later",
        ) from error
    return gone
