"""Forecasting many circuits at once: readings are read in one pass, each circuit is forecast as a release serves it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from functools import partial

from fleetcast.domain.circuit import Circuit
from fleetcast.domain.errors import BadInput, FleetcastError
from fleetcast.domain.fallback import Source
from fleetcast.domain.identity import CircuitKey
from fleetcast.domain.release import ServedModel
from fleetcast.forecasting.forecaster import Forecaster
from fleetcast.pipeline.forecast_rows import MadeBy, ScoredCircuit, forecast_rows
from fleetcast.pipeline.forecast_window import (
    STALE_AFTER_STEPS,
    ForecastWindow,
    WindowSearch,
    looks_of,
    trained_span,
)
from fleetcast.pipeline.scoring import Scored, Serves, score
from fleetcast.ports.forecasts import ForecastTable, WrittenPart
from fleetcast.ports.readings import Readings, ReadingsTable, ReadingsWanted

OpenModel = Callable[[Circuit, ServedModel], Forecaster]
"""Opens a model of a circuit; raises what `open_forecaster` raises."""
OpenModels = Callable[[Collection[ServedModel]], OpenModel]
"""Gives what opens these models, after it has read at once what can be read at once."""


@dataclass(frozen=True, slots=True)
class ToScore:
    """A circuit, and what forecasts it at this moment."""

    circuit: Circuit
    serves: Serves
    override: str
    """Why that is another than its release says; empty if it is not."""
    release: int
    """Its number."""


@dataclass(frozen=True, slots=True)
class Part:
    """Some circuits of an issue."""

    circuits: tuple[ToScore, ...]
    day: date
    at: datetime
    """Aware; only readings before this moment are used."""
    versions: Mapping[str, int]
    """Of the tables, by data source."""
    made_by: MadeBy


@dataclass(frozen=True, slots=True)
class Replaced:
    """A sensor whose forecast is not that of its release's model."""

    key: CircuitKey
    sensor: str
    source: Source
    reason: str


@dataclass(frozen=True, slots=True)
class NotScored:
    """A circuit that nothing can be said of, and why."""

    key: CircuitKey
    why: str


@dataclass(frozen=True, slots=True)
class PartScored:
    """What came of a part."""

    written: WrittenPart | None
    """None: nothing could be forecast."""
    circuits: tuple[CircuitKey, ...]
    """Whose rows were written, of all of their sensors or some."""
    by_source: Mapping[Source, int]
    """How many sensors."""
    replaced: tuple[Replaced, ...]
    stale: tuple[CircuitKey, ...]
    """Forecast from readings that are older than a few steps."""
    not_scored: tuple[NotScored, ...]


@dataclass(slots=True)
class _OpenedOnce:
    """Opens each model of a part once, as its files are read to the last byte; what is wrong with one is said again."""

    open_model: OpenModel
    _found: dict[ServedModel, Forecaster | FleetcastError] = field(default_factory=dict)

    def __call__(self, circuit: Circuit, model: ServedModel) -> Forecaster:
        found = self._found.get(model)
        if found is None:
            try:
                found = self.open_model(circuit, model)
            except FleetcastError as error:
                found = error
            self._found[model] = found
        if isinstance(found, FleetcastError):
            raise found
        return found


@dataclass(frozen=True, slots=True)
class ScorePart:
    """Forecasts parts, and keeps what comes of them where nobody sees it yet."""

    tables: Mapping[str, ReadingsTable]
    open_models: OpenModels
    forecasts: ForecastTable

    def __call__(self, part: Part) -> PartScored:
        """Forecast a part.

        Raises:
            Unavailable: Readings or the table cannot be reached.
        """
        models = {one.serves.model for one in part.circuits if isinstance(one.serves.model, ServedModel)}
        opened = _OpenedOnce(self.open_models(models))
        searches = {one.circuit.key: self._search(one, part, opened) for one in part.circuits}
        readings = self._read(part, [search for search in searches.values() if search is not None])
        scored: list[ScoredCircuit] = []
        lacking: list[NotScored] = []
        for one in part.circuits:
            search = searches[one.circuit.key]
            try:
                if search is None:
                    raise BadInput(f"there are no readings of {one.circuit.data_source} here")
                window = search.found(readings.get(one.circuit.key), part.at)
                made, silent = self._scored(one, window, search, opened)
            except FleetcastError as error:
                lacking.append(NotScored(one.circuit.key, str(error)))
                continue
            scored.append(_row_of(one, made, window, search.version))
            lacking += [NotScored(one.circuit.key, f"sensor {name} has never been read") for name in silent]
        written = self.forecasts.write(part.day, forecast_rows(scored, part.made_by)) if scored else None
        return _told(part, scored, lacking, written)

    def _search(self, one: ToScore, part: Part, opened: OpenModel) -> WindowSearch | None:
        """Where its readings are looked for; None: it has no table."""
        circuit, model = one.circuit, one.serves.model
        if circuit.data_source not in part.versions:
            return None
        forecaster = None
        if isinstance(model, ServedModel):
            try:
                forecaster = opened(circuit, model)
            except FleetcastError:
                forecaster = None  # what takes its place needs readings all the same
        looks = looks_of(circuit, forecaster)
        version = part.versions[circuit.data_source]
        return WindowSearch(circuit, looks, self.tables[circuit.data_source], version, looks.more_history)

    def _read(self, part: Part, searches: Sequence[WindowSearch]) -> Mapping[CircuitKey, Readings]:
        """The readings of all, each time in one pass for those for which what was read did not suffice."""
        found: dict[CircuitKey, Readings] = {}
        left = {one.circuit.key: (one, one.wanted(part.at, trained_span(one.circuit))) for one in searches}
        while left:
            wanted: dict[str, dict[CircuitKey, ReadingsWanted]] = {}
            for key, (search, coming) in list(left.items()):
                following = next(coming, None)
                if following is None:
                    del left[key]
                else:
                    wanted.setdefault(search.circuit.data_source, {})[key] = following
            for source, asked in wanted.items():
                for readings in self.tables[source].read(list(asked.values()), part.versions[source]):
                    key = readings.key
                    found[key] = readings
                    if left[key][0].suffices(readings, asked[key], part.at):
                        del left[key]
        return found

    @staticmethod
    def _scored(
        one: ToScore, window: ForecastWindow, search: WindowSearch, opened: OpenModel
    ) -> tuple[Scored, tuple[str, ...]]:
        """A forecast of all sensors but those that were never read, which are given too."""
        history, open_model = window.history, partial(opened, one.circuit)
        try:
            return score(one.serves, history, open_model), ()
        except BadInput:
            silent = history.silent
            wanted = [name for name in one.serves.sensors if name in silent]
            if not wanted:
                raise
            last = search.last_readings(wanted, history.start)
            left = tuple(name for name in one.serves.sensors if name not in silent or name in last)
            if not left:
                raise
            scored = score(replace(one.serves, sensors=left), history, open_model, last)
            return scored, tuple(name for name in wanted if name not in last)


def _row_of(one: ToScore, made: Scored, window: ForecastWindow, delta_version: int) -> ScoredCircuit:
    models: dict[Source, ServedModel] = {}
    if isinstance(one.serves.model, ServedModel):
        models[Source.MODEL] = one.serves.model
    if one.serves.previous is not None:
        models[Source.PREVIOUS_MODEL] = one.serves.previous
    return ScoredCircuit(one.circuit, made, models, one.release, one.override, delta_version, window.newest)


def _told(
    part: Part, scored: Sequence[ScoredCircuit], lacking: Sequence[NotScored], written: WrittenPart | None
) -> PartScored:
    by_source: Counter[Source] = Counter()
    replaced: list[Replaced] = []
    for one in scored:
        for sensor, origin in one.scored.origins.items():
            by_source[origin.source] += 1
            if origin.source is not Source.MODEL:
                replaced.append(Replaced(one.circuit.key, sensor, origin.source, origin.code))
    stale = [
        one.circuit.key
        for one in scored
        if part.at - one.newest > STALE_AFTER_STEPS * one.scored.forecast.step
    ]
    keys = tuple(one.circuit.key for one in scored)
    return PartScored(written, keys, dict(by_source), tuple(replaced), tuple(stale), tuple(lacking))
