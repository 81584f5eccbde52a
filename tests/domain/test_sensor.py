from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fleetcast.domain.errors import BadInput
from fleetcast.domain.sensor import checked_sensors, did_you_mean, is_sensor, proposed_sensor, slip_of


@pytest.mark.parametrize("name", ["t", "Ot_avg", "Accelerometer1RMS", "a" * 64])
def test_letters_digits_and_underscores_make_a_sensor(name: str) -> None:
    assert is_sensor(name)


@pytest.mark.parametrize(
    "name", ["", "1t", "_t", "a b", "CO2(tCO2)", "a/b", "a" * 65, "plant_id", "Timestamp", "é"]
)
def test_anything_else_does_not(name: str) -> None:
    assert not is_sensor(name)


@pytest.mark.parametrize(
    ("name", "proposed"),
    [
        ("CO2(tCO2)", "CO2_tCO2"),
        ("Volume Flow RateRMS", "Volume_Flow_RateRMS"),
        ("Température °C", "Temperature_C"),
        ("1st stage", "sensor_1st_stage"),
        ("timestamp", "timestamp_reading"),
        ("°", "sensor"),
    ],
)
def test_the_proposal_looks_like_the_name(name: str, proposed: str) -> None:
    assert proposed_sensor(name) == proposed


@given(st.text())
def test_every_proposal_is_a_sensor(name: str) -> None:
    assert is_sensor(proposed_sensor(name))


def test_the_error_spells_out_every_rename() -> None:
    with pytest.raises(BadInput) as caught:
        checked_sensors(["fine", "a b", "c/d"], where="log.csv")
    assert caught.value.fix == "rename: --rename 'a b=a_b' --rename 'c/d=c_d'"


def test_a_misspelt_name_is_answered_with_the_nearest() -> None:
    assert did_you_mean("temprature", ["pressure", "temperature"]) == "did you mean 'temperature'?"
    assert did_you_mean("x", ["pressure", "flow"]) == "there is: pressure, flow"


@pytest.mark.parametrize(
    "name",
    [
        "presure",
        "pressuree",
        "prressure",
        "pressare",
        "perssure",
        "pressuer",
        "Pressure",
        "xpressure",
        "ressure",
    ],
)
def test_one_letter_makes_a_slip(name: str) -> None:
    assert slip_of(name, ("temperature", "pressure")) == "pressure"


@pytest.mark.parametrize(
    ("name", "known"),
    [
        ("pressure", "pressure"),
        ("temperature", "pressure"),
        ("presre", "pressure"),
        ("temp_2", "temp_1"),
        ("temp", "temp1"),
        ("phase_b", "phase_a"),
        ("b_phase", "a_phase"),
        ("phase_a", "phase"),
        ("phases", "phase_a"),
        ("abd", "abc"),
        ("abcdxy", "abcd"),
        ("temp12", "temp21"),
    ],
)
def test_what_is_meant_to_differ_is_none(name: str, known: str) -> None:
    assert slip_of(name, (known,)) is None
    assert slip_of(known, (name,)) is None
