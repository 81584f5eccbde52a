"""One look at one circuit: all its signals, each measured or with the reason why not."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np

from fleetcast.domain.drift import Observation, Outcome, Signal
from fleetcast.domain.thresholds import Limits
from fleetcast.forecasting.resampling import instant, micros
from fleetcast.forecasting.series import Floats
from fleetcast.pipeline.signals.changes import Changes, changes_of
from fleetcast.pipeline.signals.cleaning import (
    Clean,
    Spans,
    clean,
    current_grid,
    reference_grid,
    scales_of,
    spans_of,
)
from fleetcast.pipeline.signals.errors import Errors, Joined, errors_of, join, moved
from fleetcast.pipeline.signals.faults import Fault, FaultFound, Habits, fault_of, learn_habits
from fleetcast.pipeline.signals.normal import Normal, learn_normal
from fleetcast.pipeline.signals.steps import ECHO
from fleetcast.pipeline.signals.watched import WatchedCircuit

_SILENT_STEPS = 12
_SILENT_AT_LEAST = timedelta(hours=3)
_OUT_OF_LIMITS = 0.05
_MISSING = 0.2
_DOUBTFUL_ROWS = 0.05
_LARGEST_IMPACT = 10.0


@dataclass(frozen=True, slots=True)
class Learnt:
    """What one deployed version's training readings say is normal: the same until another version is deployed."""

    spans: Spans
    scales: Floats
    habits: Habits
    normal: Normal
    missing: Floats
    """Share of steps without a reading while other sensors had one; shape (k,)."""
    known: Floats
    """Readings in the reference; shape (k,)."""
    last: datetime | None
    """Aware UTC: of its newest reading."""


def learn(circuit: WatchedCircuit, now: datetime) -> Learnt:
    """Learn what is normal from a circuit's reference; `current` and forecasts play no part.

    Args:
        circuit: With its reference.
        now: Aware UTC; readings after it are not believed.
    """
    spans = spans_of(circuit)
    reference = clean(circuit.reference, circuit.sensors, circuit.limits, now)
    scales = scales_of(reference)
    grid, values = reference_grid(reference, spans.step, scales)
    heard = values[~np.isnan(values).all(axis=1)]
    missing = np.isnan(heard).mean(axis=0) if len(heard) else np.ones(len(circuit.sensors))
    return Learnt(
        spans,
        scales,
        learn_habits(reference, scales),
        learn_normal(grid, values, spans.step, spans.fast, spans.slow),
        missing,
        np.count_nonzero(~np.isnan(reference.values), axis=0).astype(float),
        instant(int(reference.times[-1])) if len(reference.times) else None,
    )


def observe(circuit: WatchedCircuit, now: datetime, learnt: Learnt | None = None) -> list[Observation]:
    """Look at a circuit.

    Args:
        circuit: With all that is known of it.
        now: Aware UTC; readings after it are not believed.
        learnt: What `learn` gave for the same reference; None: it is learnt now.

    Returns:
        Of each sensor data drift and sensor faults, and prediction drift, accuracy and coverage where it is forecast;
        of the circuit data drift of all sensors together, freshness, data quality and model age.
    """
    return _Look(circuit, now, learnt or learn(circuit, now)).observations()


class _Look:
    """What is worked out once and used by several signals of one look."""

    def __init__(self, circuit: WatchedCircuit, now: datetime, learnt: Learnt) -> None:
        self.circuit, self.now, self.learnt = circuit, now, learnt
        self.current: Clean = clean(circuit.current, circuit.sensors, circuit.limits, now)
        self.stale_after = circuit.stale_after or max(_SILENT_STEPS * circuit.frequency, _SILENT_AT_LEAST)
        spans = learnt.spans
        self.grid, self.values = current_grid(self.current, spans.step, spans.slow + ECHO, now, learnt.scales)
        self.fast = self.values[-spans.fast :]

    def observations(self) -> list[Observation]:
        faults = self._faults()
        joined = join(self.circuit.published, self.current, self.circuit.sensors, self.circuit.frequency)
        trusted = np.array([found.fault is None for found in faults], dtype=bool)
        changes = changes_of(self.learnt.normal, self.grid, self.values, trusted)
        found = [
            self._fault(column, sensor, faults[column]) for column, sensor in enumerate(self.circuit.sensors)
        ]
        found += self._drift(changes, trusted)
        for sensor in self.circuit.published.sensors:
            if sensor in self.circuit.sensors:
                found += self._forecasts(joined, sensor)
        found += [self._freshness(), *self._quality(trusted), self._age()]
        return found

    def _seen(
        self,
        signal: Signal,
        outcome: Outcome,
        sensor: str | None = None,
        *,
        value: float | None = None,
        threshold: float | None = None,
        unit: str = "",
        p_value: float | None = None,
        impact: float = 0.0,
        detail: Mapping[str, float | str] | None = None,
    ) -> Observation:
        circuit = self.circuit
        return Observation(
            signal,
            circuit.environment,
            circuit.key.plant,
            circuit.key.circuit,
            sensor,
            self.now,
            outcome,
            value,
            threshold,
            unit,
            p_value,
            impact,
            circuit.model,
            # A plain one: looks are made in processes of their own, and a proxy cannot leave one.
            dict(detail or {}),
        )

    # Sensors

    def _faults(self) -> Sequence[FaultFound]:
        since = micros(self.now - self.learnt.spans.fast * self.learnt.spans.step)
        found = []
        for column, sensor in enumerate(self.circuit.sensors):
            if sensor in self.current.absent and self.current.rows:
                found.append(FaultFound(Fault.ABSENT, None, 0.0, "readings"))
                continue
            found.append(
                fault_of(
                    column,
                    self.current,
                    self.learnt.habits,
                    self.learnt.scales,
                    since,
                    self.stale_after,
                    self.now,
                )
            )
        return found

    def _fault(self, column: int, sensor: str, found: FaultFound) -> Observation:
        detail: dict[str, float | str] = {}
        if found.fault:
            detail["fault"] = found.fault.value
        if found.since:
            detail["since"] = found.since.isoformat()
        value = found.value if np.isfinite(found.value) else None
        if not self.learnt.known[column] and found.fault in (Fault.GONE, Fault.ABSENT):
            detail["why"] = "neither the training data nor the newest readings have any of it"
            return self._seen(Signal.SENSOR_FAULT, Outcome.NOT_ENOUGH_DATA, sensor, detail=detail)
        return self._seen(
            Signal.SENSOR_FAULT,
            Outcome.BREACHED if found.fault else Outcome.FINE,
            sensor,
            value=value,
            unit=found.unit,
            p_value=found.chance,
            # Without its readings, or with wrong ones, a sensor's forecast is worth nothing.
            impact=1.0 if found.fault else 0.0,
            detail=detail,
        )

    # Drift

    def _drift(self, changes: Changes, trusted: np.typing.NDArray[np.bool_]) -> list[Observation]:
        threshold = self.circuit.settings.data_drift
        found = [
            self._sensor_drift(column, sensor, changes, trusted)
            for column, sensor in enumerate(self.circuit.sensors)
        ]
        usable = trusted & ~np.isnan(changes.chance) & ~np.isnan(changes.distance)
        if not usable.any() or np.isnan(changes.together):
            detail = {"why": self._why_not()}
            return [
                *found,
                self._seen(Signal.DATA_DRIFT, Outcome.NOT_ENOUGH_DATA, threshold=threshold, detail=detail),
            ]
        # Where several are as sure, the one that moved farthest stands for the circuit.
        columns = np.flatnonzero(usable)
        most = columns[np.lexsort((-changes.distance[columns], changes.chance[columns]))[0]]
        value = float(changes.distance[most])
        whole = self._seen(
            Signal.DATA_DRIFT,
            _against(value, threshold),
            value=value,
            threshold=threshold,
            p_value=changes.together,
            impact=max(found[column].impact for column in columns),
            detail={"sensors": float(usable.sum()), "most": self.circuit.sensors[most]},
        )
        return [*found, whole]

    def _sensor_drift(
        self, column: int, sensor: str, changes: Changes, trusted: np.typing.NDArray[np.bool_]
    ) -> Observation:
        threshold = self.circuit.settings.data_drift
        if not trusted[column]:
            detail = {"why": "the sensor is at fault: what it shows is not held against the process"}
            return self._seen(
                Signal.DATA_DRIFT, Outcome.NOT_MEASURED, sensor, threshold=threshold, detail=detail
            )
        if np.isnan(changes.chance[column]) or np.isnan(changes.distance[column]):
            detail = {"why": self._why_not(column)}
            return self._seen(
                Signal.DATA_DRIFT, Outcome.NOT_ENOUGH_DATA, sensor, threshold=threshold, detail=detail
            )
        numbers = {
            "js_distance": changes.raw_distance[column],
            "wasserstein": changes.moved[column],
            "kolmogorov_smirnov": changes.smirnov[column],
            "shift": changes.shift[column],
            "louder": changes.louder[column],
            "effective_readings": changes.information[column],
            "apart": changes.apart[column],
            "related": changes.related[column],
        }
        value = float(changes.distance[column])
        return self._seen(
            Signal.DATA_DRIFT,
            _against(value, threshold),
            sensor,
            value=value,
            threshold=threshold,
            p_value=float(changes.chance[column]),
            impact=self._impact(column, sensor, changes),
            detail={name: float(number) for name, number in numbers.items() if np.isfinite(number)},
        )

    def _impact(self, column: int, sensor: str, changes: Changes) -> float:
        """How much a forecast that knows nothing of the shift is off, as a share of its usual error."""
        shift = abs(float(changes.shift[column]))
        if not np.isfinite(shift):
            return 0.0
        expected = self.circuit.expected_error.get(sensor)
        usual = float(np.mean(expected)) if expected is not None and len(expected) else 0.0
        spread = float(self.learnt.normal.memory.spread[column]) * float(self.learnt.scales[column])
        share = shift * spread / usual if usual > 0 and np.isfinite(usual) else shift
        return min(share, _LARGEST_IMPACT) if np.isfinite(share) else _LARGEST_IMPACT

    def _why_not(self, column: int | None = None) -> str:
        if not self.learnt.known.any():
            return "the training data of the deployed version holds no readings"
        if column is not None and not self.learnt.known[column]:
            return "the deployed version was not trained on it"
        if self.learnt.normal.fast is None:
            return "the training data is too short to tell what is usual"
        if column is not None and not self.learnt.normal.usable[column]:
            return "it never changed in the training data, or was hardly ever read"
        return "too few of the newest steps have a reading"

    # Forecasts

    def _forecasts(self, joined: Joined, sensor: str) -> list[Observation]:
        thresholds = self.circuit.settings.thresholds
        limits = thresholds.sensors.get(sensor, Limits()).over(thresholds.circuit)
        least, most = limits.min_coverage_80, limits.max_coverage_80
        errors = errors_of(joined, sensor, self.circuit.expected_error.get(sensor), least, most)
        return [
            self._accuracy(sensor, errors),
            self._coverage(sensor, errors, least, most),
            self._predictions(joined, sensor),
        ]

    def _accuracy(self, sensor: str, errors: Errors) -> Observation:
        threshold = self.circuit.settings.model_drift
        detail: dict[str, float | str] = {"origins": float(errors.origins), **errors.by_horizon}
        if errors.expected is not None:
            detail["mae_then"] = errors.expected
        if errors.rise is None:
            without = self.circuit.expected_error.get(sensor) is None
            detail["why"] = (
                "the backtest's errors are not known" if without else "too few actual values have come"
            )
            outcome = Outcome.NOT_MEASURED if without else Outcome.NOT_ENOUGH_DATA
            return self._seen(Signal.ACCURACY, outcome, sensor, threshold=threshold, detail=detail)
        return self._seen(
            Signal.ACCURACY,
            _against(errors.rise, threshold),
            sensor,
            value=errors.rise,
            threshold=threshold,
            p_value=errors.rise_chance,
            impact=min(max(errors.rise, 0.0), _LARGEST_IMPACT),
            detail=detail,
        )

    def _coverage(self, sensor: str, errors: Errors, least: float | None, most: float | None) -> Observation:
        held = errors.coverage
        if held is None:
            detail = {"why": "too few actual values have come"}
            return self._seen(
                Signal.COVERAGE, Outcome.NOT_ENOUGH_DATA, sensor, threshold=least, detail=detail
            )
        if least is None and most is None:
            return self._seen(Signal.COVERAGE, Outcome.NOT_MEASURED, sensor, value=held)
        over = most is not None and held > most
        breached = over or (least is not None and held < least)
        return self._seen(
            Signal.COVERAGE,
            Outcome.BREACHED if breached else Outcome.FINE,
            sensor,
            value=held,
            threshold=most if over else least,
            p_value=errors.too_many_chance if over else errors.too_few_chance,
        )

    def _predictions(self, joined: Joined, sensor: str) -> Observation:
        threshold = self.circuit.settings.data_drift
        if (found := moved(joined, sensor)) is None:
            detail = {"why": "too few forecasts were published"}
            return self._seen(Signal.PREDICTION_DRIFT, Outcome.NOT_ENOUGH_DATA, sensor, detail=detail)
        distance, chance = found
        # The Hellinger distance of two normal distributions so many spreads apart: 0 to 1, as the others are.
        value = float(np.sqrt(-np.expm1(-(distance**2) / 8)))
        return self._seen(
            Signal.PREDICTION_DRIFT,
            _against(value, threshold),
            sensor,
            value=value,
            threshold=threshold,
            p_value=chance,
        )

    # The circuit as a whole

    def _freshness(self) -> Observation:
        threshold = self.stale_after.total_seconds()
        seen = [moment for moment in (self.circuit.newest, self.learnt.last) if moment and moment <= self.now]
        read = np.flatnonzero(~np.isnan(self.current.values).all(axis=1))
        if read.size:
            seen.append(instant(int(self.current.times[read[-1]])))
        if not seen:
            detail = {"why": "there is no reading at all"}
            return self._seen(
                Signal.FRESHNESS, Outcome.NOT_ENOUGH_DATA, threshold=threshold, unit="s", detail=detail
            )
        newest = max(seen)
        age = (self.now - newest).total_seconds()
        stale = age > threshold
        return self._seen(
            Signal.FRESHNESS,
            Outcome.BREACHED if stale else Outcome.FINE,
            value=age,
            threshold=threshold,
            unit="s",
            impact=1.0 if stale else 0.0,
            detail={"since": newest.isoformat()},
        )

    def _quality(self, trusted: np.typing.NDArray[np.bool_]) -> list[Observation]:
        current, rows = self.current, self.current.rows
        if not rows:
            return [self._seen(Signal.DATA_QUALITY, Outcome.NOT_ENOUGH_DATA, threshold=_DOUBTFUL_ROWS)]
        found = []
        # What the circuit as a whole is silent for is a matter of freshness.
        heard = self.fast[~np.isnan(self.fast).all(axis=1)]
        missing = np.isnan(heard).mean(axis=0) if len(heard) else np.zeros(self.fast.shape[1])
        out = current.out_of_limits / rows
        for column in np.flatnonzero((out > _OUT_OF_LIMITS) | (trusted & (missing > self._missing_most()))):
            by_limits = out[column] > _OUT_OF_LIMITS
            value = out[column] if by_limits else missing[column]
            found.append(
                self._seen(
                    Signal.DATA_QUALITY,
                    Outcome.BREACHED,
                    self.circuit.sensors[column],
                    value=float(value),
                    threshold=_OUT_OF_LIMITS if by_limits else float(self._missing_most()[column]),
                    impact=float(value),
                    detail={"out_of_limits": float(out[column]), "missing": float(missing[column])},
                )
            )
        doubtful = (current.doubled + current.future) / rows
        whole = self._seen(
            Signal.DATA_QUALITY,
            Outcome.BREACHED if doubtful > _DOUBTFUL_ROWS else Outcome.FINE,
            value=doubtful,
            threshold=_DOUBTFUL_ROWS,
            impact=doubtful if doubtful > _DOUBTFUL_ROWS else 0.0,
            detail={
                "rows": float(rows),
                "doubled": float(current.doubled),
                "disordered": float(current.disordered),
                "future": float(current.future),
                "missing": float(missing.mean()) if missing.size else 1.0,
            },
        )
        return [*found, whole]

    def _missing_most(self) -> Floats:
        most: Floats = self.learnt.missing + _MISSING
        return most

    def _age(self) -> Observation:
        allowed, end = self.circuit.old_after, self.circuit.data_end
        if self.circuit.model is None or end is None:
            detail = {"why": "nothing is deployed, or nobody knows what it was trained on"}
            return self._seen(Signal.MODEL_AGE, Outcome.NOT_MEASURED, unit="days", detail=detail)
        age = (self.now - end) / timedelta(days=1)
        threshold = allowed / timedelta(days=1) if allowed is not None else None
        outcome = _against(age, threshold)
        return self._seen(Signal.MODEL_AGE, outcome, value=age, threshold=threshold, unit="days")


def _against(value: float, threshold: float | None) -> Outcome:
    if threshold is None:
        return Outcome.NOT_MEASURED
    return Outcome.BREACHED if value > threshold else Outcome.FINE
