"""What Prometheus is told."""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import accumulate

from prometheus_client import CollectorRegistry, Gauge, generate_latest
from prometheus_client.metrics_core import CounterMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.registry import Collector

from fleetcast.serving.loaded_models import LoadedModels
from fleetcast.serving.routes import Routes

_BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.0, 5.0, 10.0)
_ENDS = (*map(str, _BUCKETS), "+Inf")


@dataclass(slots=True)
class _Times:
    """How long the answers of one plant took."""

    counts: list[int] = field(default_factory=lambda: [0] * len(_ENDS))
    seconds: float = 0.0


class _Answers(Collector):
    """What was answered; counted by the event loop alone, so that nothing has to be locked for each request."""

    def __init__(self) -> None:
        self.by_status: Counter[tuple[str, int]] = Counter()
        self.times: dict[str, _Times] = {}

    def collect(self) -> Iterator[Metric]:
        """All of it, as Prometheus knows it."""
        requests = CounterMetricFamily(
            "fleetcast_requests", "Requests that were answered.", labels=["plant", "status"]
        )
        for (plant, status), count in self.by_status.items():
            requests.add_metric([plant, str(status)], count)
        yield requests
        seconds = HistogramMetricFamily(
            "fleetcast_request_seconds", "How long answers took.", labels=["plant"]
        )
        for plant, times in self.times.items():
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
        self._answers.by_status[plant, status] += 1
        times = self._answers.times.get(plant)
        if times is None:
            times = self._answers.times[plant] = _Times()
        times.counts[bisect_left(_BUCKETS, seconds)] += 1
        times.seconds += seconds

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
