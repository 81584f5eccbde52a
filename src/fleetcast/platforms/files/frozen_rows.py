"""Frozen rows as Parquet files in the state directory, named by their fingerprint."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

from fleetcast.domain.errors import Unavailable
from fleetcast.domain.identity import CircuitKey, Digest
from fleetcast.pipeline.rows import read_rows, write_rows
from fleetcast.ports.readings import Readings


class FileFrozenRows:
    """Keeps each circuit's training rows as one Parquet file."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def file(self, fingerprint: Digest) -> Path:
        """Where rows with this fingerprint are, or would be."""
        return self._folder / fingerprint.hex[:2] / f"{fingerprint.hex}.parquet"

    def freeze(self, readings: Readings, fingerprint: Digest) -> None:
        """Keep these rows, unless they are kept already."""
        if not self.holds(fingerprint):
            write_rows(readings, self.file(fingerprint))

    def holds(self, fingerprint: Digest) -> bool:
        """Whether rows with this fingerprint are kept."""
        return self.file(fingerprint).is_file()

    def load(self, fingerprint: Digest, key: CircuitKey) -> Readings:
        """Exactly what was frozen."""
        return read_rows(self.file(fingerprint), key, fingerprint)

    def remove(self, fingerprints: Collection[Digest]) -> None:
        """Remove rows; those that are not there are left so."""
        for fingerprint in fingerprints:
            try:
                self.file(fingerprint).unlink(missing_ok=True)
            except OSError as error:
                raise Unavailable(
                    f"cannot remove the rows {fingerprint}: {error}", fix="check the disk and its rights"
                ) from error
