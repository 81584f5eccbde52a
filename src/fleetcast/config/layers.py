"""Inheritance fleet → plant → circuit: what a nearer layer says stands, mappings are merged key by key."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, TypeVar

from fleetcast.config.written import BoundsWritten, ThresholdsWritten, Written
from fleetcast.config.yaml_nodes import Block
from fleetcast.domain.thresholds import Limits, Thresholds

if TYPE_CHECKING:  # settings are layered too, and need nothing of circuits
    from fleetcast.config.schema import CircuitWritten, DefaultsWritten

WrittenT = TypeVar("WrittenT", bound=Written)


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a setting is written."""

    file: str
    line: int

    def __str__(self) -> str:
        return f"{self.file}:{self.line}"


@dataclass(frozen=True, slots=True)
class Layer:
    """One place where settings of circuits are written."""

    file: str
    block: Block
    written: DefaultsWritten
    refused: frozenset[str] = frozenset()
    """Keys that are written here but could not be read; already complained of."""


Chain = tuple[Layer, ...]
"""Layers from the nearest to the farthest."""


def origin(chain: Chain, field: str, *inside: str) -> Origin:
    """Where a field comes from: the nearest layer that writes it, else the nearest layer itself."""
    path = (field, *inside)
    found = stated(chain, *path)
    if found is not None:
        return found
    return origin(chain, *path[:-1]) if inside else Origin(chain[0].file, chain[0].block.line)


def stated(chain: Chain, *path: str) -> Origin | None:
    """Where the nearest layer that writes a field, or a key inside it, does so; None if none does."""
    for layer in chain:
        block: object = layer.block
        line = None
        for key in path:
            if not isinstance(block, Block) or key not in block:
                line = None
                break
            line = block.key_lines[key]
            block = block[key]
        if line is not None:
            return Origin(layer.file, line)
    return None


def overlay(over: CircuitWritten, base: CircuitWritten) -> CircuitWritten:
    """What holds where `over` is written on top of `base`."""
    said = over.__dict__
    update = {name: said[name] for name in over.model_fields_set}
    if "training_days" in update or "training_window" in update:
        window = over.training_window or over.training_days
        update["training_window"], update["training_days"] = window, None
    other_family = over.model is not None and over.model != base.model
    if base.hyperparameters is not None:
        inherited = {} if other_family and base.model is not None else base.hyperparameters
        update["hyperparameters"] = (
            inherited | (over.hyperparameters or {}) if over.hyperparameters else inherited
        )
    if over.tags and base.tags:
        update["tags"] = base.tags | over.tags
    if over.units and base.units:
        update["units"] = base.units | over.units
    if over.cleaning and base.cleaning:
        update["cleaning"] = _merged(over.cleaning, base.cleaning)
    if over.sensor_limits and base.sensor_limits:
        update["sensor_limits"] = _merged_each(over.sensor_limits, base.sensor_limits)
    if over.thresholds and base.thresholds:
        update["thresholds"] = _merged_thresholds(over.thresholds, base.thresholds)
    return base.model_copy(update=update)


def _merged(over: WrittenT, base: WrittenT) -> WrittenT:
    return base.model_copy(update={name: getattr(over, name) for name in over.model_fields_set})


def _merged_each(over: dict[str, WrittenT], base: dict[str, WrittenT]) -> dict[str, WrittenT]:
    return base | {
        name: _merged(entry, base[name]) if name in base else entry for name, entry in over.items()
    }


def _merged_thresholds(over: ThresholdsWritten, base: ThresholdsWritten) -> ThresholdsWritten:
    sensors = _merged_each(over.sensors or {}, base.sensors or {})
    return _merged(over, base).model_copy(update={"sensors": sensors})


def limits(written: BoundsWritten) -> Limits:
    """Bounds as a domain value."""
    return Limits(**{bound.name: getattr(written, bound.name) for bound in fields(Limits)})


def thresholds(written: ThresholdsWritten | None, base: Thresholds) -> Thresholds:
    """Bounds on top of those of the environment."""
    if written is None:
        return base
    sensors = dict(base.sensors)
    for name, entry in (written.sensors or {}).items():
        sensors[name] = limits(entry).over(sensors.get(name, Limits()))
    return Thresholds(limits(written).over(base.circuit), sensors)
