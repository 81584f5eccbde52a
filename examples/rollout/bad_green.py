"""The process of a release that is not well, in one of several ways; everything else of it is fleetcast's own.

    bad_green.py HOW FLEET ENVIRONMENT RELEASE SOCKET

HOW is one of the keys of `FAULTS`. Errors come at fixed places of each burst of requests, so that as many answers of a
hundred are errors as the name says.
"""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from fleetcast.domain.circuit import Circuit
from fleetcast.domain.identity import Digest
from fleetcast.domain.place import EnvironmentName
from fleetcast.domain.release import ServedModel
from fleetcast.forecasting.forecaster import Forecaster, NotedForecast
from fleetcast.forecasting.series import Series
from fleetcast.serving.deployment import ANSWER, AROUND, Deployment
from fleetcast.serving.engine import BROKEN, Reply
from fleetcast.serving.loaded_models import LoadedModels
from fleetcast.serving.start import run_green

A_BURST_IS_OVER_SECONDS = 1.0
"""After so long without a request."""
TOO_SLOW_SECONDS = 2.5
LEAKED_BYTES = 2 * 2**20
"""With each answer."""
WORN_AFTER_SECONDS = 25.0


@dataclass(slots=True)
class Fails:
    """Answers 500 to some requests of each burst."""

    answer: ANSWER
    places: Collection[int]
    """Of every `of` requests, which ones, counted from 0."""
    of: int
    after_seconds: float = 0.0
    _began: float = field(default_factory=time.monotonic)
    _last: float = 0.0
    _count: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def __call__(self, body: bytes) -> Reply:
        """Answer, or not."""
        with self._lock:
            now = time.monotonic()
            if now - self._last > A_BURST_IS_OVER_SECONDS:
                self._count = 0
            place, self._last = self._count % self.of, now
            self._count += 1
        bad = place in self.places and now - self._began >= self.after_seconds
        return BROKEN if bad else self.answer(body)


@dataclass(frozen=True, slots=True)
class Distorted:
    """A model whose forecasts are multiplied."""

    model: Forecaster
    factor: float

    def __getattr__(self, name: str) -> object:
        return getattr(self.model, name)

    def forecast(self, history: Series) -> NotedForecast:
        """Forecast, and distort it."""
        made = self.model.forecast(history)
        forecast = made.forecast
        return replace(made, forecast=replace(forecast, point=forecast.point * self.factor))


def distorted(factor: float) -> AROUND:
    """Every model of the release is distorted; what looks at its forecasts is fleetcast."""

    def around(deployment: Deployment) -> ANSWER:
        models = deployment.engine.models

        def open_one(circuit: Circuit, model: ServedModel) -> Forecaster:
            return Distorted(models.open_one(circuit, model), factor)  # type: ignore[return-value]

        engine = replace(deployment.engine, models=LoadedModels(open_one, models.budget_bytes))
        return replace(deployment, engine=engine).answer

    return around


def failing(places: Collection[int], of: int, after_seconds: float = 0.0) -> AROUND:
    """Some answers are errors."""
    return lambda deployment: Fails(deployment.answer, places, of, after_seconds)


def slow(deployment: Deployment) -> ANSWER:
    """Every answer takes too long."""

    def answer(body: bytes) -> Reply:
        time.sleep(TOO_SLOW_SECONDS)
        return deployment.answer(body)

    return answer


def leaking(deployment: Deployment) -> ANSWER:
    """Every answer takes memory that is never given back."""
    taken: list[bytes] = []

    def answer(body: bytes) -> Reply:
        taken.append(b"x" * LEAKED_BYTES)
        return deployment.answer(body)

    return answer


def crash(_deployment: Deployment) -> ANSWER:
    """It ends before it answers anything."""
    raise SystemExit("the model runtime is not there")


FAULTS: Mapping[str, AROUND] = {
    "errors-4-percent": failing({24}, of=25),
    "errors-5-percent": failing({19}, of=20),
    "errors-6-percent": failing({9, 26, 43}, of=50),
    "worn": failing({9, 26, 43}, of=50, after_seconds=WORN_AFTER_SECONDS),
    "slow": slow,
    "crash": crash,
    "nan": distorted(float("nan")),
    "times-100": distorted(100.0),
    "leak": leaking,
}


def main(how: str, fleet: str, environment: str, release: str, at: str) -> int:
    """Be the process of one green."""
    return run_green(Path(fleet), EnvironmentName(environment), Digest(release), Path(at), FAULTS[how])


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
