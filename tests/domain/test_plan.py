"""What one circuit needs: train, reuse, up to date, blocked or removed."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from fleetcast.domain.circuit import Circuit, Cutoff
from fleetcast.domain.identity import CircuitKey, Digest
from fleetcast.domain.model import FleetIndex, Intent, Refusal
from fleetcast.domain.money import Money
from fleetcast.domain.plan import (
    AssetAction,
    Blocked,
    PastTraining,
    Plan,
    PlannedCost,
    Removed,
    Reuse,
    Train,
    UpToDate,
    VersionRefused,
    estimate,
    estimate_cost,
    plan_circuit,
    plan_removed,
)
from fleetcast.domain.quality import QualityVerdict
from fleetcast.domain.settings import CostSettings
from fleetcast.domain.snapshot import DataAsset
from fleetcast.domain.training_hash import data_digest, training_inputs
from tests.domain.circuits import CIRCUIT, entry, hash_of, index

LATER = replace(CIRCUIT, cutoff=Cutoff.parse("2025-12-01"))
MOMENT = datetime(2025, 1, 1, tzinfo=UTC)


def checked(circuit: Circuit = CIRCUIT, *, blocked: str = "") -> dict[Digest, DataAsset]:
    digest = data_digest(training_inputs(circuit))
    usable = () if blocked else ("temperature",)
    asset = DataAsset(
        digest=digest,
        name="data",
        key=CIRCUIT.key,
        source="readings",
        delta_version=4,
        start=MOMENT,
        end=MOMENT,
        sensors=("temperature",),
        rows=10,
        first=MOMENT,
        last=MOMENT,
        fingerprint=Digest.of(b"rows"),
        verdict=QualityVerdict(usable, (), (), blocked),
    )
    return {digest: asset}


def test_a_circuit_without_any_version_trains_as_new() -> None:
    action = plan_circuit(CIRCUIT, index(), checked())
    assert isinstance(action, Train)
    assert action.why == "new circuit"
    assert action.changes == ()


def test_unchecked_data_is_said_to_be_unchecked() -> None:
    action = plan_circuit(CIRCUIT, index(), {})
    assert isinstance(action, Train)
    assert not action.data_checked


def test_the_version_in_use_with_the_same_hash_is_up_to_date() -> None:
    action = plan_circuit(CIRCUIT, index([entry(CIRCUIT, 1)], selected=1), {})
    assert action == UpToDate(CIRCUIT.key, CIRCUIT.model_name, hash_of(CIRCUIT), 1)


def test_an_earlier_version_with_the_hash_is_reused() -> None:
    action = plan_circuit(CIRCUIT, index([entry(CIRCUIT, 1), entry(LATER, 2)], selected=2), {})
    assert action == Reuse(CIRCUIT.key, CIRCUIT.model_name, hash_of(CIRCUIT), 1)


def test_a_version_out_of_use_is_reused_when_its_circuit_comes_back() -> None:
    action = plan_circuit(CIRCUIT, index([entry(CIRCUIT, 1)]), {})
    assert isinstance(action, Reuse)


def test_the_newest_usable_version_with_the_hash_is_the_one_reused() -> None:
    versions = [entry(CIRCUIT, 1), entry(CIRCUIT, 2), entry(CIRCUIT, 3)]
    action = plan_circuit(CIRCUIT, index(versions, refused={3: Refusal.REJECTED}), {})
    assert isinstance(action, Reuse)
    assert action.version == 2


def test_a_changed_circuit_trains_and_says_what_changed() -> None:
    action = plan_circuit(LATER, index([entry(CIRCUIT, 1)], selected=1), checked(LATER))
    assert isinstance(action, Train)
    assert action.why == "cutoff_date 2025-11-01 → 2025-12-01"


def test_unfit_data_blocks_with_its_reason() -> None:
    action = plan_circuit(CIRCUIT, index(), checked(blocked="history too short: have 3, need 9"))
    assert isinstance(action, Blocked)
    assert action.why == "history too short: have 3, need 9"
    assert not action.is_change


def test_a_registered_model_is_up_to_date_whatever_its_data_looks_like_now() -> None:
    action = plan_circuit(CIRCUIT, index([entry(CIRCUIT, 1)], selected=1), checked(blocked="gone"))
    assert isinstance(action, UpToDate)


@pytest.mark.parametrize("refusal", [Refusal.REJECTED, Refusal.BLOCKED])
def test_a_refused_version_blocks_until_something_changes(refusal: Refusal) -> None:
    found = index([entry(CIRCUIT, 1)], selected=1, refused={1: refusal})
    action = plan_circuit(CIRCUIT, found, checked())
    assert isinstance(action, Blocked)
    assert f"version 1 was {refusal.value}" in action.why
    raised = replace(CIRCUIT, revision=1)
    again = plan_circuit(raised, found, {})
    assert isinstance(again, Train)
    assert "revision 0 → 1" in again.why


def removed(*numbers: int, **decided: object) -> FleetIndex:
    found = index([entry(CIRCUIT, number) for number in (1, 2)], **decided)  # type: ignore[arg-type]
    gone = {(CIRCUIT.model_name, number): MOMENT for number in numbers}
    return replace(found, intent=replace(found.intent, removed=gone))


def test_what_retention_removed_the_files_of_is_trained_again_and_not_reused() -> None:
    action = plan_circuit(CIRCUIT, removed(1, 2), checked())
    assert isinstance(action, Train)
    assert action.why == "files of version 2 → removed by retention"
    kept = plan_circuit(CIRCUIT, removed(2), checked())
    assert isinstance(kept, Reuse)
    assert kept.version == 1


def test_removed_files_let_nobody_train_again_what_people_rejected() -> None:
    action = plan_circuit(CIRCUIT, removed(1, 2, refused={1: Refusal.REJECTED}), checked())
    assert isinstance(action, Blocked)
    assert action.reason == VersionRefused(1, Refusal.REJECTED)


def test_a_rejected_version_does_not_hide_a_good_one_with_the_same_hash() -> None:
    found = index([entry(CIRCUIT, 1), entry(CIRCUIT, 2)], selected=2, refused={2: Refusal.REJECTED})
    assert isinstance(plan_circuit(CIRCUIT, found, {}), Reuse)


def test_a_model_in_use_that_nobody_declares_is_removed() -> None:
    other = replace(CIRCUIT, key=CircuitKey("PLANT009", "CIRCUIT01"), model_name="plant009-circuit01")
    found = FleetIndex(
        {CIRCUIT.model_name: [entry(CIRCUIT, 1)], other.model_name: [entry(other, 1), entry(other, 2)]},
        Intent({CIRCUIT.model_name: 1, other.model_name: 2}, {}, {}),
    )
    assert plan_removed([CIRCUIT], found) == [Removed(other.key, other.model_name, 2)]
    assert plan_removed([CIRCUIT, other], found) == []


def test_a_model_out_of_use_is_not_removed_again() -> None:
    assert plan_removed([], index([entry(CIRCUIT, 1)])) == []


def test_training_time_is_estimated_from_the_median_of_each_family_over_the_workers() -> None:
    naive = replace(CIRCUIT, key=CircuitKey("PLANT001", "CIRCUIT02"), family="seasonal_naive")
    actions = [plan_circuit(circuit, index(), {}) for circuit in (CIRCUIT, naive)]
    past = PastTraining({"linear": 3.0, "seasonal_naive": 1.0}, workers=2)
    assert estimate(actions, [CIRCUIT, naive], past) == timedelta(seconds=2)
    assert estimate(actions, [CIRCUIT, naive], PastTraining({"linear": 3.0}, workers=2)) is None
    assert estimate([], [], past) is None


def test_cost_is_the_time_of_nodes_with_a_start_of_each_job() -> None:
    circuits = [replace(CIRCUIT, key=CircuitKey("PLANT001", f"CIRCUIT{number:02d}")) for number in range(5)]
    actions = [plan_circuit(circuit, index(), {}) for circuit in circuits]
    past = PastTraining({"linear": 1_440.0}, workers=8)
    prices = CostSettings(Money.parse("1.50 EUR"), timedelta(minutes=10), at_once=4)
    # five times 24 minutes by fours, and two starts of ten: fifty minutes
    assert estimate_cost(actions, circuits, past, prices, 3) == PlannedCost(Money.parse("1.25 EUR"), 2)
    assert estimate_cost(actions, circuits, past, CostSettings(), 3) is None
    assert estimate_cost(actions, circuits, PastTraining({}, 8), prices, 3) is None
    assert estimate_cost([], circuits, past, prices, 3) is None


def plan(*actions: Train | UpToDate | Blocked, assets: tuple[AssetAction, ...] = ()) -> Plan:
    return Plan(actions, assets, Digest.of(b"fleet"), None)


def test_a_plan_has_changes_if_anything_in_it_changes() -> None:
    fresh = plan_circuit(CIRCUIT, index(), {})
    current = plan_circuit(CIRCUIT, index([entry(CIRCUIT, 1)], selected=1), {})
    blocked = plan_circuit(CIRCUIT, index(), checked(blocked="gone"))
    assert isinstance(fresh, Train)
    assert isinstance(current, UpToDate)
    assert isinstance(blocked, Blocked)
    assert plan(fresh).has_changes
    assert not plan(current, blocked).has_changes
    assert plan(current, assets=(AssetAction("register", "environment", "e", "1.0.0"),)).has_changes
    assert plan(fresh).digest != plan(current).digest
    assert plan(fresh).digest == plan(fresh).digest
