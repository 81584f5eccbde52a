"""`fleetcast forecast 'PLANT001/*'`: many circuits at once, and what keeps one of them back."""

from __future__ import annotations

import pytest

from tests.scenarios.repository import ON_SQLITE, Repository

pytestmark = pytest.mark.slow


@ON_SQLITE
def test_all_circuits_that_a_pattern_matches_are_forecast(promoted: Repository) -> None:
    found = promoted.type("forecast", "PLANT001/*", "--format", "json")
    assert found.code == 0, found.err
    one = promoted.type("forecast", "PLANT001/CIRCUIT02", "--format", "json").json
    first, second = found.json["forecasts"]
    assert (first["circuit_id"], second["circuit_id"]) == ("CIRCUIT01", "CIRCUIT02")
    assert second["sensors"] == one["sensors"]
    assert found.json["failed"] == []
    table = promoted.type("forecast", "PLANT001/*", "--sensor", "vibration")
    assert table.code == 0, table.err
    assert table.out.count("vibration") == 2
    assert "temperature" not in table.out
    assert "in the past" in table.out, "notes are below the table"
    assert "PLANT001/CIRCUIT01, PLANT001/CIRCUIT02" in table.out


@ON_SQLITE
def test_one_that_cannot_be_forecast_keeps_no_other_back(promoted: Repository) -> None:
    promoted.change("DELETE FROM model_versions WHERE name LIKE '%circuit02'")
    found = promoted.type("forecast", "PLANT001/CIRCUIT0?", "--format", "json")
    assert found.code == 1
    assert [one["circuit_id"] for one in found.json["forecasts"]] == ["CIRCUIT01"]
    (failed,) = found.json["failed"]
    assert (failed["plant_id"], failed["circuit_id"]) == ("PLANT001", "CIRCUIT02")
    assert "has no trained model yet" in failed["says"]
    assert "error: PLANT001/CIRCUIT02 has no trained model yet (run `fleetcast train" in found.err


@ON_SQLITE
@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["PARIS/*"], "no circuit matches 'PARIS/*'"),
        (["PLANT001/*", "--png", "f.png"], "are of one circuit"),
        (["PLANT001/*", "--model-version", "1"], "are of one circuit"),
        (["PLANT001/*", "--sensor", "vibration", "--sensor", "vibratoin"], "did you mean 'vibration'"),
        (["PLANT001/*", "--sensor", "presure"], "is forecast for a sensor 'presure'"),
    ],
)
def test_what_makes_no_sense_for_many_is_refused(promoted: Repository, words: list[str], said: str) -> None:
    refused = promoted.type("forecast", *words)
    assert (refused.code, said in refused.err) == (1, True), refused.err
