"""The model registry counts versions, the shared registry keeps their numbers, and what is decided is kept apart."""

from __future__ import annotations

from fleetcast.domain.model import FleetIndex, Refusal
from fleetcast.pipeline.index import ReadIndex
from fleetcast.ports.platform import Platform
from tests.contracts.samples import digest, environment, trained


def test_versions_of_a_model_count_from_1(platform: Platform) -> None:
    given = [platform.workspace.models.register([trained("m", f"job-{i}")])[0].version for i in (1, 2, 3)]
    assert given == [1, 2, 3]
    assert [held.version for held in platform.workspace.models.versions(["m"])["m"]] == [1, 2, 3]


def test_each_model_counts_for_itself(platform: Platform) -> None:
    first = platform.workspace.models.register([trained("a", "a.1"), trained("b", "b.1")])
    second = platform.workspace.models.register([trained("b", "b.2")])
    assert [(version.name, version.version) for version in (*first, *second)] == [
        ("a", 1),
        ("b", 1),
        ("b", 2),
    ]


def test_two_versions_of_one_model_at_once_get_two_numbers(platform: Platform) -> None:
    given = platform.workspace.models.register([trained("m", "m.1"), trained("m", "m.2")])
    assert [version.version for version in given] == [1, 2]


def test_registering_the_same_job_twice_is_once(platform: Platform) -> None:
    first = platform.workspace.models.register([trained("m", "job-1")])
    before = list(platform.control.audit.entries())
    assert platform.workspace.models.register([trained("m", "job-1")]) == first
    assert platform.workspace.models.register([trained("m", "job-1"), trained("m", "job-1")]) == [
        *first,
        *first,
    ]
    assert len(platform.workspace.models.versions(["m"])["m"]) == 1
    assert list(platform.control.audit.entries()) == before


def test_what_is_registered_comes_back_equal(platform: Platform) -> None:
    model = trained()
    (registered,) = platform.workspace.models.register([model])
    assert registered.model == model
    assert platform.workspace.models.versions(["m", "unknown"]) == {"m": [registered], "unknown": []}


def index_of(platform: Platform) -> FleetIndex:
    return ReadIndex.of(platform)()


def test_the_index_lists_every_version_and_what_was_decided(platform: Platform) -> None:
    platform.workspace.models.register([trained("m", "job-1", training_hash="first")])
    platform.workspace.models.register([trained("m", "job-2", training_hash="second")])
    platform.control.states.select({"m": 2})
    platform.control.states.crown({"m": 1})
    index = index_of(platform)
    assert [(entry.version, entry.training_hash) for entry in index.versions["m"]] == [
        (1, digest("first")),
        (2, digest("second")),
    ]
    assert index.versions["m"][0].inputs == trained().lineage.inputs
    assert dict(index.intent.selected) == {"m": 2}
    assert dict(index.intent.champions) == {"m": 1}
    found = index.with_hash("m", digest("first"))
    assert found is not None
    assert found.version == 1


def test_registering_decides_nothing(platform: Platform) -> None:
    platform.workspace.models.register([trained("m", "job-1")])
    intent = platform.control.states.intent()
    assert (intent.selected, intent.champions, intent.refused) == ({}, {}, {})


def test_selecting_an_earlier_version_brings_it_back_into_use(platform: Platform) -> None:
    platform.workspace.models.register([trained("m", "job-1"), trained("m", "job-2")])
    platform.control.states.select({"m": 2, "other": 1})
    platform.control.states.select({"m": 1})
    assert platform.control.states.intent().selected == {"m": 1, "other": 1}
    assert len(platform.workspace.models.versions(["m"])["m"]) == 2


def test_a_deselected_model_keeps_its_versions(platform: Platform) -> None:
    platform.workspace.models.register([trained("m"), trained("other", "other.1")])
    platform.control.states.select({"m": 1, "other": 1})
    platform.control.states.deselect(["m"])
    assert platform.control.states.intent().selected == {"other": 1}
    assert len(platform.workspace.models.versions(["m"])["m"]) == 1


def test_rejected_versions_are_not_found_by_their_hash(platform: Platform) -> None:
    platform.workspace.models.register([trained("m", training_hash="h"), trained("n", "n.1")])
    platform.control.states.reject([("m", 1), ("n", 1)])
    index = index_of(platform)
    assert index.with_hash("m", digest("h")) is None
    assert index.intent.refused == {("m", 1): Refusal.REJECTED, ("n", 1): Refusal.REJECTED}


def test_a_crowned_version_can_be_replaced_and_come_back(platform: Platform) -> None:
    for champion in (1, 2, 1):
        platform.control.states.crown({"m": champion})
        assert platform.control.states.intent().champions == {"m": champion}


def test_sharing_a_model_keeps_its_number(platform: Platform) -> None:
    platform.workspace.models.register([trained("m", "job-1")])
    (second,) = platform.workspace.models.register([trained("m", "job-2")])
    platform.workspace.shared.share_models([second])
    shared = platform.workspace.shared.shared()
    assert {name: sorted(numbers) for name, numbers in shared.models.items()} == {"m": [2]}


def test_sharing_twice_is_once(platform: Platform) -> None:
    (version,) = platform.workspace.models.register([trained()])
    platform.workspace.assets.register(environment())
    for _ in range(2):
        platform.workspace.shared.share_models([version, version])
        platform.workspace.shared.share_environment(environment())
    shared = platform.workspace.shared.shared()
    assert {name: sorted(held) for name, held in shared.environments.items()} == {"training": ["1.0.0"]}
    assert {name: sorted(held) for name, held in shared.models.items()} == {"m": [1]}


def test_versions_that_may_not_be_used_are_known_by_themselves(platform: Platform) -> None:
    states = platform.control.states
    assert states.refused() == frozenset()
    states.reject([("a", 1)])
    states.block({("b", 2): digest("b")}, "rolled back")
    assert set(states.refused()) == {("a", 1), ("b", 2)}
    states.unblock(("b", 2), "it was the sensor")
    assert set(states.refused()) == {("a", 1)}
