"""The data a circuit trains on: one pinned version of a table, cut to a window, checked and fingerprinted."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from fleetcast.domain.identity import CircuitKey, Digest
from fleetcast.domain.quality import NO_COLUMN, QualityVerdict


@dataclass(frozen=True, slots=True)
class DataAsset:
    """The registered training data of one circuit; never changes once registered."""

    digest: Digest
    """Of the training inputs that decide which rows are read and how they are judged."""
    name: str
    key: CircuitKey
    source: str
    delta_version: int
    start: datetime
    """Aware UTC, inclusive."""
    end: datetime
    """Aware UTC, exclusive."""
    sensors: tuple[str, ...]
    """The sensor columns read, in order; each a float64."""
    rows: int
    first: datetime | None
    """Aware UTC time of the first row; None without rows."""
    last: datetime | None
    fingerprint: Digest
    """SHA-256 of the rows themselves: sensors, times and values."""
    verdict: QualityVerdict

    @property
    def blocked(self) -> str:
        """Why the circuit cannot be trained on this data; empty if it can."""
        # Earlier versions left out a sensor that the table does not have, without a word.
        absent = [gone.sensor for gone in self.verdict.left_out if gone.reason == NO_COLUMN]
        return self.verdict.blocked or "; ".join(f"there is no column `{name}`" for name in absent)
