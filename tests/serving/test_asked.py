"""What a client may ask: anything else is refused with what is wrong, and how to mend it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import numpy as np
import orjson
import pytest

from fleetcast.serving.asked import Refused, read_request

HISTORY = {"end_at": "2025-11-01T02:00:00+01:00", "sensors": {"t": [1, None, 2.5], "p": [0.0, -1.0, 1e5]}}


def body(**said: object) -> bytes:
    return orjson.dumps(said)


def test_a_circuit_alone_is_forecast_from_the_newest_readings() -> None:
    asked = read_request(b'{"circuit_id": "CIRCUIT01"}')
    assert (asked.many, len(asked.forecasts)) == (False, 1)
    assert (asked.forecasts[0].circuit, asked.forecasts[0].history) == ("CIRCUIT01", None)


def test_a_history_is_put_on_the_grid_of_the_circuit() -> None:
    (one,) = read_request(body(circuit_id="C", history=HISTORY)).forecasts
    assert one.history is not None
    series = one.history.on(timedelta(hours=1))
    assert series.sensors == ("t", "p")
    assert (series.start, series.end) == (
        datetime(2025, 10, 31, 22, tzinfo=UTC),
        datetime(2025, 11, 1, 1, tzinfo=UTC),
    )
    np.testing.assert_array_equal(series.values, [[1, 0], [np.nan, -1], [2.5, 1e5]])


def test_many_circuits_are_asked_for_at_once() -> None:
    asked = read_request(body(forecasts=[{"circuit_id": "A"}, {"circuit_id": "B", "history": HISTORY}]))
    assert asked.many
    assert [one.circuit for one in asked.forecasts] == ["A", "B"]


def with_sensors(sensors: object, end_at: object = "2025-11-01T00:00:00Z") -> bytes:
    return body(circuit_id="C", history={"end_at": end_at, "sensors": sensors})


BAD: dict[str, bytes] = {
    "nothing": b"",
    "no JSON": b"circuit_id=C",
    "half of it": b'{"circuit_id": "C"',
    "NaN": b'{"circuit_id": "C", "history": {"end_at": "2025-11-01T00:00:00Z", "sensors": {"t": [NaN]}}}',
    "no UTF-8": b'{"circuit_id": "\xff"}',
    "a list": b'[{"circuit_id": "C"}]',
    "a number": b"7",
    "deeply nested": b"[" * 100_000,
    "no circuit": b"{}",
    "a circuit that is a number": b'{"circuit_id": 7}',
    "a circuit that is a path": b'{"circuit_id": "../../etc"}',
    "something unknown": body(circuit_id="C", horizon=7),
    "something unknown inside": body(circuit_id="C", history={**HISTORY, "step": 1}),
    "a key twice": b'{"circuit_id": "A", "circuit_id": "B"}',
    "a key twice with blanks": b'{"circuit_id" : "A", "circuit_id" : "A"}',
    "a sensor twice": (
        b'{"circuit_id": "C", "history": {"end_at": "2025-11-01T00:00:00Z", "sensors": {"t": [1], "t": [2]}}}'
    ),
    "a history that is a list": body(circuit_id="C", history=[1, 2]),
    "no sensors": with_sensors({}),
    "sensors of two lengths": with_sensors({"t": [1, 2], "p": [1]}),
    "an empty sensor": with_sensors({"t": []}),
    "text": with_sensors({"t": ["1"]}),
    "a truth value": with_sensors({"t": [True, 1.0]}),
    "a list inside": with_sensors({"t": [[1.0]]}),
    "a number that no sensor reads": with_sensors({"t": [1.1e30]}),
    "a number that overflows": with_sensors({"t": [1e301]}),
    "a huge whole number": b'{"circuit_id":"C","history":{"end_at":"2025-11-01T00:00:00Z","sensors":{"t":['
    + b"9" * 400
    + b"]}}}",
    "too many values": with_sensors({"t": [0] * 100_001}),
    "no end": with_sensors({"t": [1]}, None),
    "an end that is no moment": with_sensors({"t": [1]}, "yesterday"),
    "an end without a time zone": with_sensors({"t": [1]}, "2025-11-01T00:00:00"),
    "no forecasts": body(forecasts=[]),
    "too many forecasts": body(forecasts=[{"circuit_id": "C"}] * 201),
    "forecasts that are none": body(forecasts=[7]),
}


@pytest.mark.parametrize("what", BAD)
def test_what_cannot_be_understood_is_refused(what: str) -> None:
    with pytest.raises(Refused) as caught:
        read_request(BAD[what])
    assert caught.value.status in (400, 422)
    assert len(str(caught.value)) < 300


def test_a_history_from_before_the_calendar_is_refused() -> None:
    (one,) = read_request(with_sensors({"t": [1, 2]}, "0001-01-01T00:00:00Z")).forecasts
    assert one.history is not None
    with pytest.raises(Refused, match="calendar"):
        one.history.on(timedelta(days=1))
