"""The training hash: what is in it, what is not, and how a difference is named."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import fields, replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fleetcast.domain.canonical import Json, canonical_json, digest_of
from fleetcast.domain.circuit import Circuit, Cutoff, HyperparameterValue, Serving
from fleetcast.domain.identity import CircuitKey, Digest
from fleetcast.domain.plan import Train, plan_circuit
from fleetcast.domain.quality import SensorLimits
from fleetcast.domain.thresholds import Limits, Thresholds
from fleetcast.domain.training_hash import carries, changes, data_digest, training_hash, training_inputs
from tests.domain.circuits import CIRCUIT, entry, hash_of, index


def cleaned(circuit: Circuit, **rules: float) -> Circuit:
    return replace(circuit, cleaning=replace(circuit.cleaning, **rules))  # type: ignore[arg-type]  # by name


IN_THE_HASH: Mapping[str, tuple[Callable[[Circuit], Circuit], str]] = {
    "plant_id": (
        lambda c: replace(c, key=CircuitKey("PLANT002", "CIRCUIT01")),
        "plant_id PLANT001 → PLANT002",
    ),
    "circuit_id": (
        lambda c: replace(c, key=CircuitKey("PLANT001", "CIRCUIT02")),
        "circuit_id CIRCUIT01 → CIRCUIT02",
    ),
    "features": (
        lambda c: replace(c, features=("temperature", "pressure", "flow")),
        "features [temperature, pressure] → [temperature, pressure, flow]",
    ),
    "targets": (
        lambda c: replace(c, targets=("temperature", "pressure")),
        "targets [temperature] → [temperature, pressure]",
    ),
    "frequency": (lambda c: replace(c, frequency=timedelta(minutes=10)), "frequency 1h → 10min"),
    "forecast_horizon": (
        lambda c: replace(c, horizon=timedelta(hours=36)),
        "forecast_horizon 7d → 36h",
    ),
    "training_window": (
        lambda c: replace(c, training_window=timedelta(days=180)),
        "training_window 365d → 180d",
    ),
    "cutoff_date": (
        lambda c: replace(c, cutoff=Cutoff.parse("2025-12-01")),
        "cutoff_date 2025-11-01 → 2025-12-01",
    ),
    "data_source": (lambda c: replace(c, data_source="historian"), "data_source readings → historian"),
    "delta_version": (lambda c: replace(c, delta_version=5), "delta_version 4 → 5"),
    "pipeline_component_version": (
        lambda c: replace(c, component_version="1.1.0"),
        "pipeline_component_version 1.0.0 → 1.1.0",
    ),
    "model": (lambda c: replace(c, family="seasonal_naive"), "model linear → seasonal_naive"),
    "hyperparameters.lookback": (
        lambda c: replace(c, hyperparameters={"lookback": 336, "ridge": 0.5}),
        "hyperparameters.lookback 168 → 336",
    ),
    "hyperparameters.ridge": (
        lambda c: replace(c, hyperparameters={"lookback": 168}),
        "hyperparameters.ridge 0.5 → unset",
    ),
    "hyperparameters.sharing": (
        lambda c: replace(c, hyperparameters={"lookback": 168, "ridge": 0.5, "sharing": "pooled"}),
        "hyperparameters.sharing unset → pooled",
    ),
    "sensor_limits.temperature.min": (
        lambda c: replace(c, sensor_limits={"temperature": SensorLimits(-20.0, 120.0)}),
        "sensor_limits.temperature.min -40.0 → -20.0",
    ),
    "sensor_limits.temperature.max": (
        lambda c: replace(c, sensor_limits={"temperature": SensorLimits(-40.0, None)}),
        "sensor_limits.temperature.max 120.0 → null",
    ),
    "cleaning.fill_steps": (lambda c: cleaned(c, fill_steps=6), "cleaning.fill_steps 3 → 6"),
    "cleaning.max_missing_share": (
        lambda c: cleaned(c, max_missing_share=0.5),
        "cleaning.max_missing_share 0.4 → 0.5",
    ),
    "cleaning.max_flat_share": (
        lambda c: cleaned(c, max_flat_share=0.7),
        "cleaning.max_flat_share 0.6 → 0.7",
    ),
    "cleaning.flat_steps": (lambda c: cleaned(c, flat_steps=48), "cleaning.flat_steps 24 → 48"),
    "cleaning.spike_deviations": (
        lambda c: cleaned(c, spike_deviations=9.0),
        "cleaning.spike_deviations 12.0 → 9.0",
    ),
    "revision": (lambda c: replace(c, revision=1), "revision 0 → 1"),
}

OUTSIDE: Mapping[str, Callable[[Circuit], Circuit]] = {
    "model_name": lambda c: replace(c, model_name="another-name"),
    "description": lambda c: replace(c, description="the one by the window"),
    "owner": lambda c: replace(c, owner="cooling-team"),
    "tags": lambda c: replace(c, tags={"line": "A"}),
    "units": lambda c: replace(c, units={"temperature": "°C"}),
    "serving": lambda c: replace(c, serving=Serving.BATCH),
    "thresholds": lambda c: replace(c, thresholds=Thresholds(Limits(min_skill=0.5))),
}

NOT_DATA = {"pipeline_component_version", "revision"}


@pytest.mark.parametrize("field", IN_THE_HASH)
def test_a_hashed_field_changed_alone_is_the_one_that_plan_names(field: str) -> None:
    change, expected = IN_THE_HASH[field]
    changed = change(CIRCUIT)
    assert hash_of(changed) != hash_of(CIRCUIT)
    action = plan_circuit(changed, index([entry(CIRCUIT, 1)], selected=1), {})
    assert isinstance(action, Train)
    assert [difference.field for difference in action.changes] == [field]
    assert action.why == expected


@pytest.mark.parametrize("field", IN_THE_HASH)
def test_only_what_decides_the_rows_and_their_fitness_changes_the_data_digest(field: str) -> None:
    changed = IN_THE_HASH[field][0](CIRCUIT)
    same = data_digest(training_inputs(changed)) == data_digest(training_inputs(CIRCUIT))
    assert same == (field in NOT_DATA)


@pytest.mark.parametrize("field", OUTSIDE)
def test_what_is_outside_never_changes_the_hash(field: str) -> None:
    assert hash_of(OUTSIDE[field](CIRCUIT)) == hash_of(CIRCUIT)


def test_every_training_input_is_in_the_table_above() -> None:
    tried = {name.split(".")[0] for name in IN_THE_HASH}
    assert tried == set(training_inputs(CIRCUIT))


def test_every_field_of_a_circuit_is_in_the_hash_or_known_to_be_outside() -> None:
    names = {
        "key": "plant_id",
        "horizon": "forecast_horizon",
        "cutoff": "cutoff_date",
        "component_version": "pipeline_component_version",
        "family": "model",
    }
    of_circuit = {names.get(field.name, field.name) for field in fields(Circuit)}
    foreign = replace(CIRCUIT, source_mapping={"layout": "long"})
    assert of_circuit == (set(training_inputs(foreign)) - {"circuit_id"}) | set(OUTSIDE)
    assert "source_mapping" not in training_inputs(CIRCUIT), "own tables keep the hashes they had"


def test_several_changes_are_named_in_alphabetical_order() -> None:
    changed = replace(CIRCUIT, revision=2, delta_version=9, cutoff=Cutoff.parse("2025-12-01"))
    named = [difference.field for difference in changes(training_inputs(CIRCUIT), training_inputs(changed))]
    assert named == ["cutoff_date", "delta_version", "revision"]


def test_equal_inputs_do_not_differ() -> None:
    assert changes(training_inputs(CIRCUIT), training_inputs(CIRCUIT)) == ()


def test_two_spellings_of_one_cutoff_are_one_cutoff() -> None:
    spelt = [
        "2025-11-01T12:00:00Z",
        "2025-11-01T13:00:00+01:00",
        " 2025-11-01T12:00:00.000+00:00",
    ]
    assert len({hash_of(replace(CIRCUIT, cutoff=Cutoff.parse(text))) for text in spelt}) == 1


FINITE = st.floats(allow_nan=False, allow_infinity=False)
SCALARS = st.none() | st.booleans() | st.integers() | FINITE | st.text(max_size=8)
VALUES: st.SearchStrategy[Json] = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=6), inner, max_size=4),
    max_leaves=12,
)


def shuffled(value: Json, order: Callable[[list[str]], list[str]]) -> Json:
    if isinstance(value, Mapping):
        return {name: shuffled(value[name], order) for name in order(list(value))}
    if isinstance(value, list):
        return [shuffled(item, order) for item in value]
    return value


@given(st.dictionaries(st.text(max_size=6), VALUES, max_size=6), st.randoms(use_true_random=False))
def test_key_order_never_changes_a_training_hash(inputs: dict[str, Json], random: object) -> None:
    def order(names: list[str]) -> list[str]:
        return sorted(names, key=lambda _: random.random())  # type: ignore[attr-defined]  # random.Random

    mixed = shuffled(inputs, order)
    assert isinstance(mixed, Mapping)
    assert training_hash(inputs) == training_hash(mixed)


@given(
    st.dictionaries(st.text(max_size=6), VALUES, max_size=6),
    st.sampled_from([float("inf"), float("-inf"), float("nan")]),
)
def test_a_number_that_is_not_finite_has_no_training_hash(inputs: dict[str, Json], odd: float) -> None:
    with pytest.raises(ValueError, match="JSON compliant"):
        training_hash(inputs | {"odd": [odd]})


@given(st.permutations(["lookback", "ridge", "sharing", "normalisation"]))
def test_the_order_of_hyperparameters_never_changes_a_training_hash(names: list[str]) -> None:
    values: dict[str, HyperparameterValue] = {
        "lookback": 168,
        "ridge": 0.5,
        "sharing": "pooled",
        "normalisation": "last",
    }
    plain = replace(CIRCUIT, hyperparameters=values)
    mixed = replace(CIRCUIT, hyperparameters={name: values[name] for name in names})
    assert hash_of(plain) == hash_of(mixed)


@given(st.integers(0, 10_000), st.integers(0, 10_000))
def test_two_revisions_have_two_hashes(one: int, other: int) -> None:
    same = hash_of(replace(CIRCUIT, revision=one)) == hash_of(replace(CIRCUIT, revision=other))
    assert same == (one == other)


def test_a_version_of_an_earlier_schema_is_found_by_its_inputs() -> None:
    inputs: dict[str, Json] = {"cutoff_date": "2025-11-01", "features": ["ä", "b"], "revision": 0}
    stored = canonical_json(inputs)
    earlier = digest_of({"hash_schema": 1, "inputs": inputs})
    wanted = training_hash(inputs)
    assert wanted != earlier
    assert carries(earlier, stored, wanted)
    assert carries(wanted, stored, wanted)
    assert not carries(earlier, stored, training_hash(inputs | {"revision": 1}))


def test_what_does_not_fit_its_inputs_is_not_labelled_anew() -> None:
    inputs = {"revision": 1}
    wanted = training_hash(inputs)
    assert not carries(Digest.of(b"another"), canonical_json(inputs), wanted)
    assert not carries(digest_of({"hash_schema": 1, "inputs": inputs}), '{"revision":', wanted)
