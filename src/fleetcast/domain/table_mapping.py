"""How a Delta table that somebody else keeps is read: which column is what, and what its sensors are called here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType
from zoneinfo import ZoneInfo

from fleetcast.domain.canonical import Json
from fleetcast.domain.errors import BadInput
from fleetcast.domain.identity import CircuitKey, checked_id

TIMESTAMP, PLANT, CIRCUIT, SENSOR, VALUE = "timestamp", "plant_id", "circuit_id", "sensor", "value"


class Layout(StrEnum):
    """How readings stand in a table."""

    WIDE = "wide"
    """One row for each time, one column for each sensor."""
    LONG = "long"
    """One row for each reading: time, sensor, value."""


_COLUMNS = {
    Layout.WIDE: (TIMESTAMP, PLANT, CIRCUIT),
    Layout.LONG: (TIMESTAMP, PLANT, CIRCUIT, SENSOR, VALUE),
}


@dataclass(frozen=True, slots=True)
class TableMapping:
    """What an external table's columns and sensors are."""

    layout: Layout = Layout.WIDE
    columns: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    """Their column by our name; one that is not named is called the same there."""
    plant_id: str = ""
    """The plant of all rows, where no column says it."""
    circuit_id: str = ""
    """The circuit of all rows, where no column says it."""
    sensors: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    """Our name by theirs: a column if wide, a value if long. `PLANT/CIRCUIT/sensor` where an id names all three."""
    time_zone: str = ""
    """Of times without a zone; such as Europe/Berlin."""
    tags: Mapping[tuple[CircuitKey, str], str] = field(
        init=False, repr=False, compare=False, default_factory=lambda: MappingProxyType({})
    )
    """Their id by circuit and sensor, where ids say both."""
    _theirs: Mapping[str, str] = field(
        init=False, repr=False, compare=False, default_factory=lambda: MappingProxyType({})
    )

    def __post_init__(self) -> None:
        known = _COLUMNS[self.layout]
        for name in self.columns:
            if name not in known:
                raise BadInput(
                    f"columns: {name!r} is not a column of a {self.layout} table",
                    fix=f"known are {', '.join(known)}; what sensors are called belongs in `sensors:`",
                )
        for name, constant in ((PLANT, self.plant_id), (CIRCUIT, self.circuit_id)):
            if constant:
                checked_id(name, constant)
                if name in self.columns:
                    raise BadInput(
                        f"{name} is given as a constant and as a column", fix="keep one of the two"
                    )
        _one_name_each(self.columns, "columns", "read from")
        taken: dict[str, str] = {}
        for theirs, ours in self.sensors.items():
            other = taken.setdefault(ours, theirs)
            if other != theirs:
                raise BadInput(
                    f"sensors: {other!r} and {theirs!r} are both called {ours!r}",
                    fix="give each sensor a name of its own",
                )
        if len({self._is_tag(ours) for ours in self.sensors.values()}) > 1:
            raise BadInput(
                "sensors: some names are PLANT/CIRCUIT/sensor and some are not",
                fix="write all in the same way",
            )
        if self.time_zone:
            _checked_zone(self.time_zone)
        object.__setattr__(self, "_theirs", {ours: theirs for theirs, ours in self.sensors.items()})
        if self.by_tag:
            parts = {theirs: ours.split("/") for theirs, ours in self.sensors.items()}
            tags = {(CircuitKey(p, c), sensor): theirs for theirs, (p, c, sensor) in parts.items()}
            object.__setattr__(self, "tags", tags)

    @property
    def by_tag(self) -> bool:
        """Whether a sensor's id alone says which circuit it belongs to."""
        return any(self._is_tag(ours) for ours in self.sensors.values())

    def column(self, name: str) -> str:
        """What a column is called there."""
        return self.columns.get(name, name)

    def theirs(self, key: CircuitKey, sensor: str) -> str:
        """What a circuit's sensor is called there."""
        if self.by_tag:
            return self.tags.get((key, sensor), "")
        return self._theirs.get(sensor, sensor)

    def may_hold(self, key: CircuitKey) -> bool:
        """Whether rows of a circuit can be in the table at all."""
        return self.plant_id in ("", key.plant) and self.circuit_id in ("", key.circuit)

    def inputs(self, key: CircuitKey, sensors: Sequence[str]) -> Mapping[str, Json]:
        """All of the mapping that decides what one circuit reads: it belongs to the inputs of its training."""
        names = _COLUMNS[self.layout]
        return {
            "layout": str(self.layout),
            "columns": {name: self.column(name) for name in names if name not in self._not_columns()},
            "sensors": {sensor: self.theirs(key, sensor) for sensor in sensors},
            "time_zone": self.time_zone,
        }

    def _not_columns(self) -> set[str]:
        constants = {name for name, value in ((PLANT, self.plant_id), (CIRCUIT, self.circuit_id)) if value}
        return constants | ({PLANT, CIRCUIT} if self.by_tag else set())

    @property
    def key_columns(self) -> tuple[str, ...]:
        """Which of plant and circuit a column says."""
        return tuple(name for name in (PLANT, CIRCUIT) if name not in self._not_columns())

    @staticmethod
    def _is_tag(ours: str) -> bool:
        return ours.count("/") == 2


def _one_name_each(names: Mapping[str, str], where: str, verb: str) -> None:
    taken: dict[str, str] = {}
    for ours, theirs in names.items():
        other = taken.setdefault(theirs, ours)
        if other != ours:
            raise BadInput(
                f"{where}: {other} and {ours} are both {verb} {theirs!r}",
                fix="name a column of its own for each",
            )


def _checked_zone(name: str) -> None:
    try:
        ZoneInfo(name)
    except (KeyError, ValueError, OSError) as error:
        raise BadInput(
            f"time_zone {name!r} is not known", fix="write a name such as Europe/Berlin or UTC"
        ) from error
