"""What Prometheus is told."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import accumulate

from prometheus_client import CollectorRegistry, Gauge, generate_latest
from prometheus_client.metrics_core import CounterMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.registry import Collector

from fleetcast.domain.service import TIMES_END_MS, Served
from fleetcast.serving.loaded_models import LoadedModels
from fleetcast.serving.routes import Routes

_BUCKETS = tuple(end / 1_000 for end in TIMES_END_MS)
_ENDS = (*map(str, _BUCKETS), "+Inf")


_SENT_AWAY = 429
_UNANSWERED = frozenset({_SENT_AWAY, 503, 504})


@dataclass(slots=True)
class _Times:
    """How long the answers of one plant with one status took."""

    counts: list[int] = field(default_factory=lambda: [0] * len(_ENDS))
    seconds: float = 0.0


class _Answers(Collector):
    """What was answered; counted by the event loop alone, so that nothing has to be locked for each request."""

    def __init__(self) -> None:
        self.times: dict[tuple[str, int], _Times] = {}

    def collect(self) -> Iterator[Metric]:
        """All of it, as Prometheus knows it."""
        requests = CounterMetricFamily(
            "fleetcast_requests", "Requests that were answered.", labels=["plant", "status"]
        )
        by_plant: dict[str, _Times] = {}
        for (plant, status), times in self.times.items():
            requests.add_metric([plant, str(status)], sum(times.counts))
            of_plant = by_plant.setdefault(plant, _Times())
            of_plant.counts = [one + more for one, more in zip(of_plant.counts, times.counts, strict=True)]
            of_plant.seconds += times.seconds
        yield requests
        seconds = HistogramMetricFamily(
            "fleetcast_request_seconds", "How long answers took.", labels=["plant"]
        )
        for plant, times in by_plant.items():
            ends = list(zip(_ENDS, map(float, accumulate(times.counts)), strict=True))
            seconds.add_metric([plant], ends, times.seconds)
        yield seconds


class Metrics:
    """Counts by plant and status; of circuits there are too many."""

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        self._answers = _Answers()
        self._registry.register(self._answers)
        self._models = Gauge("fleetcast_loaded_models", "Models in memory.", registry=self._registry)
        self._bytes = Gauge("fleetcast_loaded_model_bytes", "What they take, about.", registry=self._registry)
        self._greens = [
            Gauge(f"fleetcast_green_{name}", text, ["plant"], registry=self._registry)
            for name, text in (
                ("ready", "Whether a new release answers; plants without one are not here."),
                ("share_percent", "Of the clients that it answers; at 0 it gets copies."),
                ("window", "The number of the window that is counted now."),
            )
        ]

    def answered(self, plant: str, status: int, seconds: float) -> None:
        """Count one answer; a plant that no key was shown for is `-`."""
        times = self._answers.times.get((plant, status))
        if times is None:
            times = self._answers.times[plant, status] = _Times()
        times.counts[bisect_left(_BUCKETS, seconds)] += 1
        times.seconds += seconds

    def served(self) -> Mapping[str, Served]:
        """By plant, what was answered since the process began; another thread may ask."""
        totals: dict[str, Served] = {}
        for (plant, status), times in self._answers.times.copy().items():
            if 400 <= status < 500 and status != _SENT_AWAY:
                continue
            counts = tuple(times.counts)
            count = sum(counts)
            errors = 0 if status < 400 else count
            unanswered = count if status in _UNANSWERED else 0
            totals[plant] = totals.get(plant, Served()) + Served(count, errors, unanswered, counts)
        return totals

    def text(self, models: LoadedModels, routes: Routes) -> bytes:
        """All of it, as Prometheus reads it."""
        for gauge in self._greens:
            gauge.clear()
        for plant, route in routes.by_plant.items():
            if (coming := route.coming) is not None:
                values = coming.green.ready, coming.share.percent, coming.counters.window
                for gauge, value in zip(self._greens, values, strict=True):
                    gauge.labels(plant).set(value)
        self._models.set(models.count)
        self._bytes.set(models.bytes)
        return generate_latest(self._registry)
