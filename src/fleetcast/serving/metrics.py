"""What Prometheus is told."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

from fleetcast.serving.loaded_models import LoadedModels
from fleetcast.serving.routes import Routes

_BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.0, 5.0, 10.0)


class Metrics:
    """Counts by plant and status; of circuits there are too many."""

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        self._requests = Counter(
            "fleetcast_requests", "Requests that were answered.", ["plant", "status"], registry=self._registry
        )
        self._seconds = Histogram(
            "fleetcast_request_seconds",
            "How long answers took.",
            ["plant"],
            buckets=_BUCKETS,
            registry=self._registry,
        )
        self._counted: dict[tuple[str, int], Counter] = {}
        self._timed: dict[str, Histogram] = {}
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
        counted = self._counted.get((plant, status))
        if counted is None:
            counted = self._counted[plant, status] = self._requests.labels(plant, str(status))
        timed = self._timed.get(plant)
        if timed is None:
            timed = self._timed[plant] = self._seconds.labels(plant)
        counted.inc()
        timed.observe(seconds)

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
