"""Table versions: pinning the newest in the configuration, and cleaning up what nothing names any more."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta

from fleetcast.config.edit_circuits import Edited
from fleetcast.domain.circuit import Circuit
from fleetcast.domain.errors import BadInput
from fleetcast.domain.fleet import Fleet
from fleetcast.domain.identity import CircuitKey
from fleetcast.domain.role import Right
from fleetcast.pipeline.index import ReadIndex
from fleetcast.pipeline.needed import needed_table_versions
from fleetcast.ports.platform import Platform
from fleetcast.ports.readings import ReadingsTable, WritableReadingsTable
from fleetcast.workflows.edit_circuits import EditCircuits
from fleetcast.workflows.inspect_circuits import choose


@dataclass(frozen=True, slots=True)
class PinVersions:
    """Write the version that each data source has now into the circuits that read it."""

    editing: EditCircuits
    tables: Mapping[str, ReadingsTable]

    def __call__(self, circuits: Sequence[Circuit], patterns: Sequence[str], source: str | None) -> Edited:
        """Pin the circuits that match, of one data source or of all.

        Raises:
            BadInput: No circuit matches, or a data source has no table.
        """
        chosen = [c for c in choose(circuits, patterns) if source in (None, c.data_source)]
        if not chosen:
            raise BadInput(f"none of these circuits reads {source!r}", fix="see `fleetcast circuits list`")
        newest = {name: self._newest(name) for name in {circuit.data_source for circuit in chosen}}
        pinned: dict[CircuitKey, int] = {c.key: newest[c.data_source] for c in chosen}
        return self.editing.pin(pinned)

    def _newest(self, source: str) -> int:
        version = self.tables[source].latest_version()
        if version is None:
            raise BadInput(
                f"data source {source!r} holds no table yet", fix="check its `path`, or store readings"
            )
        return version


@dataclass(frozen=True, slots=True)
class Cleaned:
    """What a vacuum removed, or would remove."""

    kept: tuple[int, ...]
    """Versions that somebody names, besides the newest."""
    files: int


@dataclass(frozen=True, slots=True)
class Vacuum:
    """Remove files of fleetcast's own table that no pinned version needs."""

    platform: Platform
    source: str
    table: WritableReadingsTable

    def __call__(
        self, fleet: Fleet, *, keep: Collection[int], older_than: timedelta, dry_run: bool
    ) -> Cleaned:
        """Keep what circuits name, what models were trained on whose files are kept, and what is asked for.

        Raises:
            Denied: Whoever acts may not operate.
            Unavailable: The store refuses; what was not removed can be removed later.
        """
        self.platform.control.require(Right.OPERATE)
        needed = needed_table_versions(fleet, ReadIndex.of(self.platform)(), self.source)
        kept = {*needed, *keep}
        removed = self.table.vacuum(kept, older_than, dry_run=dry_run)
        return Cleaned(tuple(sorted(kept)), len(removed))
