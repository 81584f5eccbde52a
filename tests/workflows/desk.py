"""Files to ingest, and what the table then holds."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest

from fleetcast.domain.errors import BadInput, FleetcastError
from fleetcast.domain.identity import CircuitKey
from fleetcast.domain.ingest import (
    IngestOptions,
    IngestReport,
)
from fleetcast.platforms.delta.table import DeltaReadingsTable
from fleetcast.platforms.files.readings_file import LocalReadingsFiles
from fleetcast.ports.readings import ReadingsWanted
from fleetcast.workflows.ingest import Ingest

Cells = dict[str, list[float | None]]


class Desk:
    """A folder to write files in, and a table to ingest them into."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.declared: tuple[str, ...] = ()
        """The sensors of the fleet's circuits."""
        self.table = DeltaReadingsTable(folder / "readings")

    def file(self, text: str | bytes, name: str = "log.csv") -> Path:
        path = self.folder / name
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return path

    def ingest(self, *texts: str | bytes | Path, **options: object) -> IngestReport:
        paths = [
            text if isinstance(text, Path) else self.file(text, f"log{i}.csv") for i, text in enumerate(texts)
        ]
        return Ingest(LocalReadingsFiles(), self.table, lambda: self.declared)(paths, told(**options))

    def refuses(self, *texts: str | bytes | Path, **options: object) -> FleetcastError:
        """The error of an ingest; nothing may have been stored."""
        before = self.table.latest_version()
        with pytest.raises(BadInput) as caught:
            self.ingest(*texts, **options)
        assert self.table.latest_version() == before
        assert caught.value.fix
        return caught.value

    def stored(self, key: str = "P1/C1") -> Cells:
        """Sensor by sensor, in time order; `at` holds hours since 2025-01-01 UTC."""
        version = self.table.latest_version()
        assert version is not None
        sensors = self.table.sensors(version)
        whole = ReadingsWanted(
            CircuitKey.parse(key), sensors, datetime(2000, 1, 1, tzinfo=UTC), datetime(2100, 1, 1, tzinfo=UTC)
        )
        (found,) = self.table.read([whole], version)
        start = int(datetime(2025, 1, 1, tzinfo=UTC).timestamp())
        columns: Cells = {"at": [(time / 1e6 - start) / 3600 for time in found.times.tolist()]}
        for i, sensor in enumerate(sensors):
            columns[sensor] = [None if np.isnan(cell) else float(cell) for cell in found.values[:, i]]
        return columns


def told(**options: object) -> IngestOptions:
    if "plant" not in options and "plant_column" not in options:
        options["plant"] = "P1"
    if "circuit" not in options and "circuit_column" not in options:
        options["circuit"] = "C1"
    return IngestOptions(**options)  # type: ignore[arg-type]


UTC_ROWS = "time,a,b\n2025-01-01T00:00:00Z,1,10\n2025-01-01T01:00:00Z,2,20\n"
