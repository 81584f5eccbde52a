"""What a client is answered: bytes, made once, that say where every number comes from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import numpy as np
import orjson

from fleetcast.domain.traffic import Colour
from fleetcast.pipeline.scoring import Scored
from fleetcast.serving.asked import Refused
from fleetcast.views.moments import iso

_LINES = ("point", "lower_80", "upper_80", "lower_95", "upper_95")
PROBLEM, JSON = b"application/problem+json", b"application/json"


@dataclass(frozen=True, slots=True)
class ReadFrom:
    """Which readings a forecast was made from."""

    source: str
    """`request`, or the name of the data source."""
    delta_version: int | None = None
    read_at: datetime | None = None
    age_seconds: float | None = None
    """How long ago they were read: a server keeps them for a while."""


@dataclass(frozen=True, slots=True)
class Named:
    """What the answer says beside the numbers."""

    plant: str
    circuit: str
    release: str
    """`prod/PLANT001:3`."""
    deployment: Colour
    read_from: ReadFrom
    override: str
    """Why the circuit is not forecast by what its release says; empty if it is."""
    units: Mapping[str, str]
    """By sensor, where the fleet says so."""


def forecast_as_json(scored: Scored, named: Named) -> dict[str, Any]:
    """One forecast; arrays stay arrays, which orjson writes."""
    forecast, model = scored.forecast, scored.by
    lines = {name: np.ascontiguousarray(getattr(forecast, name).T) for name in _LINES}
    codes = {sensor: origin.code for sensor, origin in scored.origins.items() if origin.tried}
    read = named.read_from
    return {
        "plant_id": named.plant,
        "circuit_id": named.circuit,
        "release": named.release,
        "deployment": named.deployment.value,
        "model_name": None if model is None else model.name,
        "version": None if model is None else model.version,
        "training_hash": None if model is None else model.training_hash.hex,
        "artifact": None if model is None else model.artifact.hex,
        "readings": {
            "source": read.source,
            "delta_version": read.delta_version,
            "read_at": None if read.read_at is None else iso(read.read_at),
            "age_seconds": read.age_seconds,
        },
        "origin_at": iso(forecast.start),
        "step_seconds": forecast.step.total_seconds(),
        "steps": len(forecast),
        "override": named.override or None,
        "reason_codes": codes,
        "notes": list(scored.notes),
        "sensors": {
            sensor: {
                "unit": named.units.get(sensor),
                **{name: lines[name][number] for name in _LINES},
            }
            for number, sensor in enumerate(forecast.sensors)
        },
    }


def encoded(value: object) -> bytes:
    """A body."""
    return orjson.dumps(value, option=orjson.OPT_SERIALIZE_NUMPY)


def together(answers: Sequence[Mapping[str, Any]], *, many: bool) -> bytes:
    """The body of one answer, or of a list of them."""
    return encoded({"forecasts": answers} if many else answers[0])


def refusal_as_json(refused: Refused) -> dict[str, Any]:
    """Problem details (RFC 9457)."""
    return {"status": refused.status, "detail": refused.args[0], "fix": refused.fix or None}
