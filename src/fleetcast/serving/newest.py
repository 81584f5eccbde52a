"""The newest readings of circuits, kept for a stated while: what a forecast is made from if the client gives none."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from types import MappingProxyType

from fleetcast.domain.circuit import Circuit
from fleetcast.domain.errors import BadInput
from fleetcast.domain.identity import CircuitKey
from fleetcast.forecasting.forecaster import Forecaster
from fleetcast.forecasting.series import Series
from fleetcast.pipeline.forecast_window import WindowSearch, looks_of, trained_span
from fleetcast.ports.clock import Clock
from fleetcast.ports.readings import ReadingsTable
from fleetcast.serving.answers import ReadFrom

_MOST = 20_000
"""Circuits whose readings are kept."""


@dataclass(frozen=True, slots=True)
class Newest:
    """What a forecast is made from."""

    history: Series
    read_from: ReadFrom
    last_good: Mapping[str, float] = field(default_factory=lambda: MappingProxyType({}))
    """By sensor, the last reading from before the history, of those that have none in it."""


@dataclass(frozen=True, slots=True)
class _Kept:
    """One circuit's readings, as they were read."""

    history: Series
    last_good: Mapping[str, float]
    table: str
    delta_version: int
    read_at: datetime

    def newest(self, age: timedelta) -> Newest:
        """The same, so long after."""
        read_from = ReadFrom(self.table, self.delta_version, self.read_at, round(age.total_seconds(), 3))
        return Newest(self.history, read_from, self.last_good)


@dataclass(slots=True)
class NewestReadings:
    """Reads a circuit's newest window and keeps it; blocks while it reads."""

    tables: Mapping[str, ReadingsTable]
    clock: Clock
    longest: timedelta = timedelta(seconds=60)
    """After which they are read again."""
    _kept: OrderedDict[CircuitKey, _Kept] = field(default_factory=OrderedDict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def held(self, circuit: Circuit) -> Newest | None:
        """The readings that are kept and not too old."""
        with self._lock:
            kept = self._kept.get(circuit.key)
        if kept is None:
            return None
        age = self.clock.now() - kept.read_at
        if not timedelta(0) <= age < self.longest:
            return None
        return kept.newest(age)

    def get(self, circuit: Circuit, forecaster: Forecaster | None) -> Newest:
        """The readings, read now if need be.

        Args:
            circuit: Whose.
            forecaster: Says how many it looks at; None: there is no model, and two weeks at least are looked at.

        Raises:
            BadInput: There is no table, or nothing in it about this circuit.
            Unavailable: It cannot be reached.
        """
        held = self.held(circuit)
        looks = looks_of(circuit, forecaster)
        if held is not None and held.history.sensors == looks.reads:
            return held
        table = self.tables.get(circuit.data_source)
        version = None if table is None else table.latest_version()
        if table is None or version is None:
            raise BadInput(
                f"there are no readings of {circuit.data_source} here", fix="ingest them, or send a history"
            )
        search = WindowSearch(circuit, looks, table, version, looks.more_history)
        now = self.clock.now()
        history = search.window(now, trained_span(circuit)).history
        last = search.last_readings(silent, history.start) if (silent := history.silent) else {}
        kept = _Kept(history, last, circuit.data_source, version, now)
        with self._lock:
            self._kept[circuit.key] = kept
            self._kept.move_to_end(circuit.key)
            while len(self._kept) > _MOST:
                self._kept.popitem(last=False)
        return kept.newest(timedelta(0))
