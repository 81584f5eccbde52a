"""Reading the JSON files of an artifact: every field is checked, and what is wrong names its file."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from datetime import datetime

import numpy as np

from fleetcast.domain.artifact import ArtifactFiles
from fleetcast.domain.circuit import HyperparameterValue
from fleetcast.domain.errors import BadInput
from fleetcast.forecasting.series import Floats


@dataclass(frozen=True, slots=True)
class StoredJson:
    """One object of a JSON file; each method reads a field or raises `BadInput` that names file and field."""

    place: str
    fields: dict[str, object]

    @property
    def names(self) -> tuple[str, ...]:
        """The fields there are."""
        return tuple(self.fields)

    def inside(self, name: str) -> StoredJson:
        """An object in this object."""
        value = self.fields.get(name)
        if not isinstance(value, dict):
            raise self._wrong(name)
        return StoredJson(f"{self.place}: {name}", value)

    def integer(self, name: str) -> int:
        """A whole number."""
        value = self.fields.get(name)
        if not isinstance(value, int) or isinstance(value, bool):
            raise self._wrong(name)
        return value

    def integers(self, name: str) -> tuple[int, ...]:
        """A list of whole numbers."""
        items = self._items(name)
        found = tuple(each for each in items if isinstance(each, int) and not isinstance(each, bool))
        if len(found) < len(items):
            raise self._wrong(name)
        return found

    def number(self, name: str) -> float:
        """A number."""
        value = self.measure(name)
        if value is None:
            raise self._wrong(name)
        return value

    def text(self, name: str) -> str:
        """A string."""
        value = self.fields.get(name)
        if not isinstance(value, str):
            raise self._wrong(name)
        return value

    def texts(self, name: str) -> tuple[str, ...]:
        """A list of strings."""
        items = self._items(name)
        found = tuple(each for each in items if isinstance(each, str))
        if len(found) < len(items):
            raise self._wrong(name)
        return found

    def instant(self, name: str) -> datetime:
        """A time with an offset."""
        return self._instant(name, self.fields.get(name))

    def instants(self, name: str) -> tuple[datetime, ...]:
        """A list of times."""
        return tuple(self._instant(name, each) for each in self._items(name))

    def measure(self, name: str) -> float | None:
        """A number, or None for what could not be measured."""
        return self._measure(name, self.fields.get(name))

    def table(self, name: str) -> Floats:
        """Rows of numbers, NaN for what could not be measured."""
        rows = []
        for row in self._items(name):
            if not isinstance(row, list):
                raise self._wrong(name)
            rows.append([math.nan if (value := self._measure(name, each)) is None else value for each in row])
        if len({len(row) for row in rows}) > 1:
            raise self._wrong(name)
        return np.array(rows, dtype=np.float64)

    def scalars(self, name: str) -> dict[str, HyperparameterValue]:
        """An object of plain values."""
        found = self.inside(name).fields
        plain = {key: value for key, value in found.items() if isinstance(value, str | int | float)}
        if len(plain) < len(found):
            raise self._wrong(name)
        return plain

    def _items(self, name: str) -> list[object]:
        value = self.fields.get(name)
        if not isinstance(value, list):
            raise self._wrong(name)
        return value

    def _instant(self, name: str, value: object) -> datetime:
        if not isinstance(value, str):
            raise self._wrong(name)
        try:
            moment = datetime.fromisoformat(value)
        except ValueError as error:
            raise self._wrong(name) from error
        if moment.tzinfo is None:
            raise self._wrong(name)
        return moment

    def _measure(self, name: str, value: object) -> float | None:
        if value is None:
            return None
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise self._wrong(name)
        return float(value)

    def _wrong(self, name: str) -> BadInput:
        return BadInput(
            f"{self.place}: the field {name} is missing or wrong",
            fix="restore the artifact, or train the circuit again",
        )


def read_stored(files: ArtifactFiles, name: str) -> StoredJson:
    """Read one JSON file of an artifact.

    Raises:
        BadInput: There is no such file, or it holds no JSON object.
    """
    fix = "restore the artifact, or train the circuit again"
    content = files.content.get(name)
    if content is None:
        raise BadInput(f"{files.place} is not a complete model: {name} is missing", fix=fix)
    place = f"{files.place}/{name}"
    try:
        value = json.loads(content)
    except (ValueError, RecursionError) as error:
        raise BadInput(f"{place} is damaged: {error}", fix=fix) from error
    if not isinstance(value, dict):
        raise BadInput(f"{place} is damaged: it holds no object", fix=fix)
    return StoredJson(place, value)


def significant(value: float | None) -> float | None:
    """Six significant digits; None for NaN, which JSON cannot hold."""
    return None if value is None or not math.isfinite(value) else float(f"{value:.6g}")
