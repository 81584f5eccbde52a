"""Frozen rows in an object store, with a cache on this machine."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

from fleetcast.domain.errors import Unavailable
from fleetcast.domain.identity import CircuitKey, Digest
from fleetcast.pipeline.rows import read_rows
from fleetcast.platforms.files.frozen_rows import FileFrozenRows
from fleetcast.platforms.objects.store import ObjectFolder
from fleetcast.ports.readings import Readings
from fleetcast.stored.durable import write_in_one_move


class ObjectFrozenRows:
    """Keeps each circuit's training rows as one Parquet object."""

    def __init__(self, objects: ObjectFolder, cache: Path) -> None:
        self._objects = objects
        self._cache = FileFrozenRows(cache)

    def freeze(self, readings: Readings, fingerprint: Digest) -> None:
        """Keep these rows, unless they are kept already."""
        self._cache.freeze(readings, fingerprint)
        if not self._objects.holds(_name(fingerprint)):
            self._objects.put(_name(fingerprint), self._cache.file(fingerprint).read_bytes())

    def holds(self, fingerprint: Digest) -> bool:
        """Whether rows with this fingerprint are kept, for every machine."""
        return self._objects.holds(_name(fingerprint))

    def load(self, fingerprint: Digest, key: CircuitKey) -> Readings:
        """Exactly what was frozen."""
        return read_rows(self.file(fingerprint), key, fingerprint)

    def remove(self, fingerprints: Collection[Digest]) -> None:
        """Remove rows, and this machine's copies; those that are not there are left so."""
        for fingerprint in fingerprints:
            self._objects.remove(_name(fingerprint))
        self._cache.remove(fingerprints)

    def file(self, fingerprint: Digest) -> Path:
        """The rows as a file of this machine, downloaded if they are not here; no file if they are not kept."""
        path = self._cache.file(fingerprint)
        if not path.is_file() and (content := self._objects.get(_name(fingerprint))) is not None:
            try:
                write_in_one_move(path, content)
            except OSError as error:
                raise Unavailable(
                    f"cannot write {path.name}: {error}", fix="check the disk's space and rights"
                ) from error
        return path


def _name(fingerprint: Digest) -> str:
    return f"{fingerprint.hex[:2]}/{fingerprint.hex}.parquet"
