"""What a client may ask: read from bytes that anybody may have sent."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import orjson

from fleetcast.domain.errors import BadInput
from fleetcast.domain.identity import checked_id
from fleetcast.domain.sensor import LARGEST
from fleetcast.forecasting.series import Floats, Series

LARGEST_BODY = 8 * 2**20
"""Bytes."""
MOST_CIRCUITS = 200
"""In one request."""
LONGEST_HISTORY = 100_000
"""Steps; models look back on a few hundred."""
_NUMBERS = {float, int, type(None)}
_HOLDERS = (dict, list)
_ASKED, _GIVEN = {"circuit_id", "history"}, {"end_at", "sensors"}
_SHAPE = (
    'write {"circuit_id": "CIRCUIT01"}, and if you like '
    '"history": {"end_at": "2025-11-01T00:00:00Z", "sensors": {"temperature": [20.5, null, 21.0]}}'
)


class Refused(Exception):
    """A request that cannot be answered as it is."""

    def __init__(
        self, status: int, detail: str, fix: str = "", *, retry_after: timedelta | None = None
    ) -> None:
        super().__init__(detail)
        self.status = status
        self.detail = detail
        self.fix = fix
        self.retry_after = retry_after


@dataclass(frozen=True, slots=True)
class GivenHistory:
    """Readings that a client sends along: one value for each step, the last one just before `end`."""

    end: datetime
    """Aware UTC: where the forecast begins."""
    sensors: tuple[str, ...]
    values: Floats
    """Shape (n, k); NaN is a hole."""

    def on(self, step: timedelta) -> Series:
        """The same on a grid."""
        try:
            start = self.end - len(self.values) * step
        except OverflowError as error:
            raise Refused(422, "the history begins before the calendar does", "look at `end_at`") from error
        return Series(start, step, self.sensors, self.values)


@dataclass(frozen=True, slots=True)
class Asked:
    """A forecast of one circuit."""

    circuit: str
    history: GivenHistory | None
    """None: from the newest readings of the circuit's data source."""


@dataclass(frozen=True, slots=True)
class AskedTogether:
    """What one request asks for."""

    forecasts: tuple[Asked, ...]
    many: bool
    """Whether the answer is a list."""


def read_request(body: bytes) -> AskedTogether:
    """Read what was asked for.

    Raises:
        Refused: It is no such thing; the answer says what is wrong, and repeats nothing that is longer than a line.
    """
    try:
        said = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise Refused(400, f"the body is no JSON: {error}", _SHAPE) from error
    if body.count(b'":') != _keys(said):
        _check_doubled(body)
    if not isinstance(said, dict):
        raise Refused(422, "the body is no JSON object", _SHAPE)
    if "forecasts" not in said:
        return AskedTogether((_asked(said, ""),), many=False)
    _only(said, {"forecasts"}, "")
    listed = said["forecasts"]
    if not isinstance(listed, list) or not 0 < len(listed) <= MOST_CIRCUITS:
        raise Refused(422, "`forecasts` is no list of 1 to 200 circuits", "split it into several requests")
    asked = []
    for number, one in enumerate(listed):
        if not isinstance(one, dict):
            raise Refused(422, f"forecasts[{number}] is no JSON object", _SHAPE)
        asked.append(_asked(one, f"forecasts[{number}]."))
    return AskedTogether(tuple(asked), many=True)


def _asked(said: Mapping[str, Any], where: str) -> Asked:
    _only(said, _ASKED, where)
    circuit = said.get("circuit_id")
    if not isinstance(circuit, str):
        raise Refused(422, f"`{where}circuit_id` is missing or no text", _SHAPE)
    try:
        checked_id("circuit_id", circuit)
    except BadInput as error:
        raise Refused(422, str(error), error.fix) from error
    history = said.get("history")
    return Asked(circuit, None if history is None else _history(history, f"{where}history"))


def _history(said: object, where: str) -> GivenHistory:
    if not isinstance(said, dict):
        raise Refused(422, f"`{where}` is no JSON object", _SHAPE)
    _only(said, _GIVEN, where + ".")
    sensors = said.get("sensors")
    if not isinstance(sensors, dict) or not sensors:
        raise Refused(422, f"`{where}.sensors` is missing, empty or no JSON object", _SHAPE)
    columns = [_column(values, f"{where}.sensors.{name[:40]!r}") for name, values in sensors.items()]
    lengths = {len(column) for column in columns}
    if len(lengths) > 1:
        raise Refused(
            422,
            f"the sensors of `{where}` have {_shown(sorted(lengths))} values",
            "give each one value a step",
        )
    values = columns[0][:, None] if len(columns) == 1 else np.column_stack(columns)
    return GivenHistory(_instant(said.get("end_at"), where), tuple(sensors), values)


def _column(values: object, where: str) -> Floats:
    if not isinstance(values, list) or not 0 < len(values) <= LONGEST_HISTORY:
        raise Refused(422, f"`{where}` is no list of 1 to {LONGEST_HISTORY:,} numbers", "null is a hole")
    if not set(map(type, values)) <= _NUMBERS:
        raise Refused(422, f"`{where}` holds something else than numbers and null", "null is a hole")
    try:
        column = np.array(values, dtype=np.float64)
    except OverflowError as error:
        raise Refused(422, f"`{where}` holds a number that is too large", "null is a hole") from error
    least, most = float(column.min()), float(column.max())
    if not -LARGEST <= least <= most <= LARGEST and bool((np.abs(column) > LARGEST).any()):
        raise Refused(422, f"`{where}` holds a number that is too large", "null is a hole")
    return column


def _instant(said: object, where: str) -> datetime:
    fix = "write it as 2025-11-01T00:00:00Z"
    if not isinstance(said, str):
        raise Refused(422, f"`{where}.end_at` is missing or no text", fix)
    try:
        moment = datetime.fromisoformat(said)
    except ValueError as error:
        raise Refused(422, f"`{where}.end_at` is no moment", fix) from error
    if moment.tzinfo is None:
        raise Refused(422, f"`{where}.end_at` has no time zone", fix)
    try:
        return moment.astimezone(UTC)
    except OverflowError as error:
        raise Refused(422, f"`{where}.end_at` is not within the years 1 to 9999 in UTC", fix) from error


def _only(said: Mapping[str, Any], known: set[str], where: str) -> None:
    if said.keys() <= known:
        return
    unknown = next(key for key in said if key not in known)
    shown = unknown if len(unknown) <= 40 else unknown[:37] + "…"
    raise Refused(422, f"`{where}{shown}` is not known here", _SHAPE)


def _keys(said: object) -> int:
    """How many keys all JSON objects in a value have together, as far as they can be in a request."""
    if isinstance(said, dict):
        count = len(said)
        for value in said.values():
            if type(value) in _HOLDERS:
                count += _keys(value)
        return count
    if isinstance(said, list) and said and type(said[0]) is dict:
        return sum(_keys(value) for value in said)
    return 0


def _check_doubled(body: bytes) -> None:
    """Make sure that no JSON object names a key twice: two readers could understand it in two ways.

    Raises:
        Refused: One does.
    """

    def whole(pairs: Sequence[tuple[str, Any]]) -> dict[str, Any]:
        found = dict(pairs)
        if len(found) != len(pairs):
            raise Refused(400, "the body names a key twice in one object", "name each once")
        return found

    try:
        json.loads(body, object_pairs_hook=whole)
    except (ValueError, RecursionError) as error:
        raise Refused(400, "the body is no JSON", _SHAPE) from error


def _shown(lengths: Sequence[int]) -> str:
    return ", ".join(f"{length:,}" for length in lengths[:3]) + (" …" if len(lengths) > 3 else "")
