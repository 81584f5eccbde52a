from collections.abc import Mapping

import pytest

from fleetcast.domain.errors import BadInput
from fleetcast.domain.identity import Digest
from fleetcast.domain.place import EnvironmentName
from fleetcast.domain.release import (
    Candidate,
    ChangeOf,
    Composed,
    Kept,
    Release,
    ServedModel,
    changes,
    compose,
)


def model(circuit: str, version: int = 1) -> ServedModel:
    return ServedModel(
        f"lyon-{circuit}",
        version,
        Digest.of(f"{circuit}{version}".encode()),
        Digest.of(f"hash of {circuit}{version}".encode()),
    )


def release(*models: tuple[str, int], removed: tuple[str, ...] = ()) -> Release:
    circuits = {circuit: model(circuit, version) for circuit, version in models}
    return Release(EnvironmentName.PROD, "LYON", "1.0.0", circuits, removed)


def composed(live: Release | None, candidates: Mapping[str, Candidate], *blocked: Digest) -> Composed:
    return compose(
        live,
        candidates,
        environment=EnvironmentName.PROD,
        plant="LYON",
        environment_version="1.0.0",
        blocked=blocked,
    )


def test_it_is_named_by_its_content_in_whatever_order_it_was_put_together() -> None:
    assert release(("a", 1), ("b", 2)).digest == release(("b", 2), ("a", 1)).digest
    others = [
        release(("a", 1), ("b", 3)),
        release(("a", 1)),
        release(("a", 1), ("b", 2), removed=("c",)),
        Release(EnvironmentName.TEST, "LYON", "1.0.0", {"a": model("a"), "b": model("b", 2)}),
        Release(EnvironmentName.PROD, "LYON", "1.1.0", {"a": model("a"), "b": model("b", 2)}),
        Release(EnvironmentName.PROD, "PARIS", "1.0.0", {"a": model("a"), "b": model("b", 2)}),
    ]
    assert len({release(("a", 1), ("b", 2)).digest, *(other.digest for other in others)}) == 7


def test_what_it_was_made_of_may_change() -> None:
    circuits = {"a": model("a")}
    made = Release(EnvironmentName.PROD, "LYON", "1.0.0", circuits)
    before = made.digest
    circuits["a"] = model("a", 2)
    assert made.digest == before


@pytest.mark.parametrize(
    ("circuits", "removed"),
    [({}, ("a",)), ({"a": model("a")}, ("a",)), ({"../a": model("a")}, ())],
)
def test_a_release_that_makes_no_sense_is_none(
    circuits: dict[str, ServedModel], removed: tuple[str, ...]
) -> None:
    with pytest.raises(BadInput):
        Release(EnvironmentName.PROD, "LYON", "1.0.0", circuits, removed)


def test_two_releases_differ_in_the_circuits_that_changed() -> None:
    before, after = release(("a", 1), ("b", 1), ("c", 1)), release(("a", 1), ("b", 2), ("d", 1))
    assert [(one.circuit, one.what) for one in changes(before, after)] == [
        ("b", ChangeOf.CHANGED),
        ("c", ChangeOf.REMOVED),
        ("d", ChangeOf.ADDED),
    ]
    assert [one.what for one in changes(None, after)] == [ChangeOf.ADDED] * 3
    assert changes(after, after) == ()


def test_a_circuit_whose_version_may_not_be_served_goes_on_with_the_live_one() -> None:
    live = release(("a", 1), ("b", 1))
    found = composed(
        live,
        {
            "a": Candidate(model("a", 2)),
            "b": Candidate(model("b", 2), Kept.NOT_PASSED),
            "new": Candidate(None, Kept.NOT_SHARED),
        },
    )
    assert found.release == release(("a", 2), ("b", 1))
    assert found.kept == {"b": Kept.NOT_PASSED}
    assert found.left_out == {"new": Kept.NOT_SHARED}


def test_what_was_rolled_back_is_served_by_no_later_release() -> None:
    live = release(("a", 1), ("b", 1))
    bad = model("a", 2).training_hash
    found = composed(live, {"a": Candidate(model("a", 2)), "b": Candidate(model("b", 1))}, bad)
    assert found.release == live
    assert found.kept == {"a": Kept.BLOCKED}
    of_live = composed(live, {"a": Candidate(None, Kept.NOT_SHARED)}, model("a", 1).training_hash)
    assert of_live.release is None
    assert of_live.left_out == {"a": Kept.NOT_SHARED}


def test_a_removed_circuit_stays_removed_until_it_is_declared_again() -> None:
    first = composed(release(("a", 1), ("b", 1)), {"a": Candidate(model("a"))}).release
    assert first == release(("a", 1), removed=("b",))
    second = composed(first, {"a": Candidate(model("a", 2))}).release
    assert second == release(("a", 2), removed=("b",))
    third = composed(second, {"a": Candidate(model("a", 2)), "b": Candidate(model("b", 2))}).release
    assert third == release(("a", 2), ("b", 2))


def test_a_plant_without_anything_to_serve_has_no_release() -> None:
    assert composed(None, {"a": Candidate(model("a"), Kept.NOT_PASSED)}).release is None
