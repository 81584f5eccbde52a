"""What circuits inherit, and what is wrong with those that cannot be."""

from __future__ import annotations

from datetime import timedelta

import pytest

from fleetcast.config.reader import read_fleet
from fleetcast.domain.identity import CircuitKey
from fleetcast.domain.quality import SensorLimits
from tests.config.conftest import DEFAULTS, NOW, Repository

KEY = CircuitKey("PLANT001", "CIRCUIT01")


def nested(circuit: str, *, plant: str = "{}") -> str:
    """Line 13 holds the plant's defaults, line 15 the circuit."""
    return (
        DEFAULTS + f"plants:\n  PLANT001:\n    defaults: {plant}\n    circuits:\n      CIRCUIT01: {circuit}\n"
    )


def test_a_circuit_inherits_from_its_plant_and_the_plant_from_the_fleet(repository: Repository) -> None:
    repository.circuits(nested("{cutoff_date: 2025-10-31}", plant="{owner: cooling-team, delta_version: 4}"))
    circuit = repository.load().circuit(KEY)
    assert (circuit.cutoff.text, circuit.owner, circuit.delta_version) == ("2025-10-31", "cooling-team", 4)
    assert circuit.features == circuit.targets == ("temperature", "pressure")
    assert circuit.horizon == timedelta(days=7)


def test_mappings_merge_key_by_key_and_lists_replace(repository: Repository) -> None:
    limits, units = "{temperature: {min: -40, max: 100}}", "{temperature: K}"
    plant = f"{{tags: {{a: 1, b: 2}}, units: {units}, sensor_limits: {limits}}}"
    own = "{tags: {b: 3}, units: {temperature: °C}, features: [temperature], sensor_limits: {temperature: {max: 120}}}"
    repository.circuits(nested(own, plant=plant))
    circuit = repository.load().circuit(KEY)
    assert circuit.tags == {"a": "1", "b": "3"}
    assert circuit.units == {"temperature": "°C"}
    assert circuit.features == ("temperature",)
    assert circuit.sensor_limits == {"temperature": SensorLimits(-40.0, 120.0)}


@pytest.mark.parametrize(
    ("own", "expected"),
    [
        ("{}", {"lookback": 96}),
        ("{hyperparameters: {ridge: 1}}", {"lookback": 96, "ridge": 1.0}),
        ("{model: seasonal_naive}", {}),
        ("{model: seasonal_naive, hyperparameters: {season: 24}}", {"season": 24}),
    ],
)
def test_hyperparameters_are_inherited_within_a_family_only(
    repository: Repository, own: str, expected: dict[str, object]
) -> None:
    repository.circuits(nested(own, plant="{hyperparameters: {lookback: 96}}"))
    assert repository.load().circuit(KEY).hyperparameters == expected


def test_thresholds_stand_on_those_of_dev(repository: Repository) -> None:
    repository.write("fleetcast.yaml", "environments: {dev: {thresholds: {min_skill: 0.1, max_mase: 2}}}")
    repository.circuits(nested("{thresholds: {max_mase: 1, sensors: {pressure: {max_mae: 0.2}}}}"))
    thresholds = repository.load().circuit(KEY).thresholds
    assert (thresholds.circuit.min_skill, thresholds.circuit.max_mase) == (0.1, 1.0)
    assert thresholds.sensors["pressure"].max_mae == 0.2


def test_flat_and_split_circuits_inherit_like_nested_ones(repository: Repository) -> None:
    repository.circuits(DEFAULTS + "circuits:\n- {plant_id: P2, circuit_id: 001}\n")
    repository.write("config/circuits/p2.yaml", "plants: {P2: {defaults: {owner: me}, circuits: {C2: }}}")
    fleet = repository.load()
    assert [str(circuit.key) for circuit in fleet.circuits] == ["P2/001", "P2/C2"]
    assert {circuit.owner for circuit in fleet.circuits} == {"me"}


def test_every_setting_knows_where_it_was_written(repository: Repository) -> None:
    repository.circuits(nested("{cutoff_date: 2025-10-31}", plant="{owner: me}"))
    reading = read_fleet(repository.directory, now=NOW)
    lines = [reading.origin(KEY, name).line for name in ("frequency", "owner", "cutoff_date", "tags")]
    assert lines == [2, 13, 15, 15]


@pytest.mark.parametrize(
    ("own", "text"),
    [
        ("{frequncy: 2h}", "unknown key 'frequncy' (did you mean 'frequency'?"),
        ("{forecast_horizon: 0}", "`forecast_horizon`: must be a whole number from 1 to 36525, not 0"),
        ("{forecast_horizon: -3}", "not -3"),
        ("{forecast_horizon: 999999}", "not 999999"),
        ("{forecast_horizon: 90min}", "is not a multiple of its frequency"),
        ("{forecast_horizon: 36525, frequency: 1s}", "steps"),
        ("{model: liner}", "unknown model family 'liner': did you mean 'linear'?"),
        ("{hyperparameters: {lookback: many}}", "`hyperparameters.lookback`: must be a whole number"),
        ("{hyperparameters: {lookback: '96'}}", "not '96'"),
        ("{hyperparameters: {ridge: -1}}", "`hyperparameters.ridge`: must be a number"),
        ("{hyperparameters: {lokback: 96}}", "did you mean 'lookback'?"),
        ("{hyperparameters: {ridge: .nan}}", "finite"),
        ("{targets: [flow]}", "targets flow are not among the features of PLANT001/CIRCUIT01"),
        ("{features: []}", "`features`: is an empty list"),
        ("{features: [a, b, a]}", "names 'a' twice"),
        ("{features: [a, A]}", "names both 'a' and 'A'"),
        ("{features: [" + ", ".join(f"s{n}" for n in range(1001)) + "]}", "`features`: names 1001 sensors"),
        ("{features: a}", "`features`: must be a list, not a single value"),
        ("{features: [timestamp]}", "is a column that every data source has"),
        ("{features: ['a ']}", "is not a sensor name"),
        ("{features: ['../a']}", "is not a sensor name"),
        ("{sensor_limits: {flow: {min: 0}}}", "which is not a feature of this circuit"),
        ("{sensor_limits: {pressure: {min: 3, max: 3}}}", "leave no room"),
        ("{sensor_limits: {pressure: {min: .inf}}}", "must be a finite number"),
        ("{sensor_limits: {pressure: {max: 1e999}}}", "must be a finite number"),
        ("{sensor_limits: {pressure: {maximum: 3}}}", "unknown key 'maximum'"),
        ("{units: {flow: m³/h}}", "which is not a feature of this circuit"),
        ("{units: {pressure: ' '}}", "' ' is no unit"),
        ("{units: {pressure: a unit of more than so many}}", "is no unit"),
        ("{delta_version: -1}", "`delta_version`: must be a whole number from 0"),
        ("{delta_version: 010}", "write it without leading zeros"),
        ("{delta_version: '3'}", "remove the quotes"),
        ("{cutoff_date: 2025-02-30}", "is not a day of the calendar"),
        ("{cutoff_date: 2025-11-01T12:00:00}", "has no time zone"),
        (
            "{cutoff_date: 2026-01-15}",
            "is in the future or not over yet (the last whole UTC day is 2026-01-14)",
        ),
        ("{cutoff_date: 9999-12-31}", "is too far away"),
        ("{cutoff_date: 0001-01-01}", "is before 1970"),
        ("{data_source: reading}", "unknown data source 'reading' (did you mean 'readings'?"),
        ("{pipeline_component_version: 1.0}", "'1.0' is not a version"),
        ("{training_days: 3, training_window: 3d}", "says already how long training data reach back"),
        ("{frequency: }", "`frequency`: has no value"),
        ("{owner: [a]}", "`owner`: must be a single value, not a list"),
        ("{thresholds: {sensors: {flow: {max_mae: 1}}}}", "which is not a feature of this circuit"),
        ("{thresholds: {min_skill: 2}}", "`thresholds.min_skill`: must be a number from"),
        (
            "{cleaning: {max_missing_share: 3}}",
            "max_missing_share 3 is not a share (write a number from 0 to 1)",
        ),
        ("{revision: yes}", "`revision`: must be a whole number"),
        ("{model_name: a/b}", "is not a valid id"),
        ("[]", "circuit 'CIRCUIT01' must be a mapping, not a list"),
    ],
)
def test_a_bad_setting_is_named_with_its_line(repository: Repository, own: str, text: str) -> None:
    repository.circuits(nested(own))
    [complaint] = repository.complaints()
    assert complaint.startswith("config/circuits.yaml:15: ")
    assert text in complaint


def test_all_mistakes_of_all_circuits_are_said_at_once(repository: Repository) -> None:
    listed = "- {plant_id: P, circuit_id: C1, frequency: x, owner: }\n"
    listed += "- {plant_id: P, circuit_id: C2, modle: linear}\n"
    repository.circuits(DEFAULTS + "circuits:\n" + listed)
    assert [complaint.split(": ")[0] for complaint in repository.complaints()] == [
        "config/circuits.yaml:12",
        "config/circuits.yaml:12",
        "config/circuits.yaml:13",
    ]


@pytest.mark.parametrize(
    ("first", "second", "text"),
    [
        ("P1/C1", "P1/C1", "is declared twice, first at config/circuits.yaml:12"),
        ("P1/C1", "P1/c1", "looks like 'P1/C1', declared at config/circuits.yaml:12"),
        ("P1/C1", "P1/C1 ", "looks like 'P1/C1'"),
        ("P1/C1", "P1/\uff23\uff11", "looks like 'P1/C1'"),
        ("P1/C1", "p1/C2", "plant 'p1' looks like 'P1' at config/circuits.yaml:12"),
        ("P-A/B", "P/A-B", "model name 'p-a-b' is taken at config/circuits.yaml:12"),
        ("P/A", "P/../A", "is not a valid id"),
        ("P/A", "/B", "is not a valid id"),
    ],
)
def test_two_circuits_that_could_be_taken_for_one_are_refused(
    repository: Repository, first: str, second: str, text: str
) -> None:
    lines = ["circuits:"]
    for plant, _, circuit in (name.partition("/") for name in (first, second)):
        lines.append(f"- {{plant_id: '{plant}', circuit_id: '{circuit}'}}")
    repository.circuits(DEFAULTS + "\n".join(lines))
    [complaint] = repository.complaints()
    assert complaint.startswith("config/circuits.yaml:13: ")
    assert text in complaint


def test_equal_model_names_name_both_lines(repository: Repository) -> None:
    listed = "- {plant_id: P, circuit_id: A, model_name: M}\n- {plant_id: P, circuit_id: B, model_name: m}\n"
    repository.circuits(DEFAULTS + "circuits:\n" + listed)
    [complaint] = repository.complaints()
    assert complaint.startswith(
        "config/circuits.yaml:13: model name 'm' looks like 'M' at config/circuits.yaml:12"
    )


def test_a_missing_setting_says_where_it_may_be_written(repository: Repository) -> None:
    repository.circuits(DEFAULTS.replace("  frequency: 1h\n", "") + "plants: {P: {circuits: {C: {}}}}")
    [complaint] = repository.complaints()
    assert complaint.startswith("config/circuits.yaml:10: `frequency` of P/C is not set")
    assert "`defaults:` of its plant" in complaint


def test_limits_of_a_sensor_that_no_circuit_has_are_refused_in_defaults(repository: Repository) -> None:
    repository.circuits(nested("{}", plant="{sensor_limits: {temprature: {min: 0}}}"))
    [complaint] = repository.complaints()
    assert complaint.startswith("config/circuits.yaml:13: ")
    assert "did you mean 'temperature'?" in complaint


def test_inherited_limits_of_sensors_a_circuit_lacks_do_not_reach_it(repository: Repository) -> None:
    plant = "{sensor_limits: {temperature: {min: 0}, flow: {min: 0}}}"
    content = nested("{}", plant=plant) + "      CIRCUIT02: {features: [flow]}\n"
    repository.circuits(content)
    assert set(repository.load().circuit(KEY).sensor_limits) == {"temperature"}


def test_fleet_defaults_belong_in_one_file(repository: Repository) -> None:
    repository.write("config/circuits/more.yaml", "defaults: {owner: me}\n")
    [complaint] = repository.complaints()
    assert complaint.startswith(
        "config/circuits/more.yaml:1: `defaults:` of the fleet belong in config/circuits.yaml"
    )
