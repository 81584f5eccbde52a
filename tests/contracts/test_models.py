"""The model registry counts versions; the shared registry keeps their numbers and crowns champions."""

from __future__ import annotations

import pytest

from fleetcast.domain.model import HasVersions, VersionState
from fleetcast.ports.platform import Platform
from tests.contracts.samples import adopted, digest, environment, trained


def test_versions_of_a_model_count_from_1(platform: Platform) -> None:
    given = [platform.models.register([trained("m", f"job-{i}")])[0].version for i in (1, 2, 3)]
    assert given == [1, 2, 3]
    assert [held.version for held in platform.models.versions(["m"])["m"]] == [1, 2, 3]


def test_each_model_counts_for_itself(platform: Platform) -> None:
    first = platform.models.register([trained("a", "a.1"), trained("b", "b.1")])
    second = platform.models.register([trained("b", "b.2")])
    assert [(version.name, version.version) for version in (*first, *second)] == [
        ("a", 1),
        ("b", 1),
        ("b", 2),
    ]


def test_two_versions_of_one_model_at_once_get_two_numbers(platform: Platform) -> None:
    given = platform.models.register([trained("m", "m.1"), trained("m", "m.2")])
    assert [version.version for version in given] == [1, 2]
    assert platform.models.selected()["m"].version == 2


def test_registering_the_same_job_twice_is_once(platform: Platform) -> None:
    first = platform.models.register([trained("m", "job-1")])
    before = platform.audit.entries()
    assert platform.models.register([trained("m", "job-1")]) == first
    assert platform.models.register([trained("m", "job-1"), trained("m", "job-1")]) == [*first, *first]
    assert len(platform.models.versions(["m"])["m"]) == 1
    assert platform.audit.entries() == before


def test_a_repeated_registration_keeps_the_version_in_use(platform: Platform) -> None:
    platform.models.register([trained("m", "job-1")])
    platform.models.register([trained("m", "job-2")])
    platform.models.register([trained("m", "job-1")])
    assert platform.models.selected()["m"].version == 2


def test_what_is_registered_comes_back_equal(platform: Platform) -> None:
    model = trained()
    (registered,) = platform.models.register([model])
    assert registered.model == model
    assert platform.models.versions(["m", "unknown"]) == {"m": [registered], "unknown": []}


def test_the_index_lists_every_version_and_the_ones_in_use(platform: Platform) -> None:
    platform.models.register([trained("m", "job-1", training_hash="first")])
    platform.models.register([trained("m", "job-2", training_hash="second")])
    index = platform.models.index()
    assert [(entry.version, entry.training_hash) for entry in index.versions["m"]] == [
        (1, digest("first")),
        (2, digest("second")),
    ]
    assert index.versions["m"][0].inputs == trained().lineage.inputs
    assert dict(index.selected) == {"m": 2}
    found = index.with_hash("m", digest("first"))
    assert found is not None
    assert found.version == 1


def test_selecting_an_earlier_version_brings_it_back_into_use(platform: Platform) -> None:
    platform.models.register([trained("m", "job-1"), trained("m", "job-2")])
    platform.models.select({"m": 1})
    assert platform.models.selected()["m"].version == 1
    assert len(platform.models.versions(["m"])["m"]) == 2


def test_a_deselected_model_keeps_its_versions(platform: Platform) -> None:
    platform.models.register([trained("m"), trained("other", "other.1")])
    platform.models.deselect(["m"])
    assert list(platform.models.selected()) == ["other"]
    assert len(platform.models.versions(["m"])["m"]) == 1


def test_a_rejected_version_is_not_found_by_its_hash(platform: Platform) -> None:
    platform.models.register([trained("m", training_hash="h")])
    platform.models.reject("m", 1)
    assert platform.models.index().with_hash("m", digest("h")) is None
    (held,) = platform.models.versions(["m"])["m"]
    assert held.state is VersionState.REJECTED
    assert not held.usable


def test_sharing_a_model_keeps_its_number_and_crowns_it(platform: Platform) -> None:
    platform.models.register([trained("m", "job-1")])
    (second,) = platform.models.register([trained("m", "job-2")])
    platform.shared.share_models([second])
    shared = platform.shared.shared()
    assert {name: sorted(numbers) for name, numbers in shared.models.items()} == {"m": [2]}
    assert dict(shared.champions) == {"m": 2}


def test_sharing_twice_is_once(platform: Platform) -> None:
    (version,) = platform.models.register([trained()])
    platform.shared.share_models([version])
    platform.shared.share_environment(environment())
    before = platform.audit.entries()
    platform.shared.share_models([version])
    platform.shared.share_environment(environment())
    assert platform.audit.entries() == before
    assert {name: sorted(held) for name, held in platform.shared.shared().environments.items()} == {
        "training": ["1.0.0"]
    }


def test_sharing_an_older_version_again_does_not_crown_it(platform: Platform) -> None:
    first, second = platform.models.register([trained("m", "job-1"), trained("m", "job-2")])
    platform.shared.share_models([first])
    platform.shared.share_models([second])
    platform.shared.share_models([first])
    assert dict(platform.shared.shared().champions) == {"m": 2}


def test_a_shared_version_can_be_crowned_again(platform: Platform) -> None:
    first, second = platform.models.register([trained("m", "job-1"), trained("m", "job-2")])
    platform.shared.share_models([first])
    platform.shared.share_models([second])
    platform.shared.crown({"m": 1})
    assert dict(platform.shared.shared().champions) == {"m": 1}
    assert sorted(platform.shared.shared().models["m"]) == [1, 2]


def test_an_adopted_model_is_version_1_in_use_shared_and_champion(platform: Platform) -> None:
    (version,) = platform.models.adopt([adopted()])
    assert version.version == 1
    assert platform.models.selected() == {"m": version}
    assert platform.models.versions(["m"])["m"] == [version]
    shared = platform.shared.shared()
    assert {name: sorted(numbers) for name, numbers in shared.models.items()} == {"m": [1]}
    assert dict(shared.champions) == {"m": 1}
    assert [entry.event.action for entry in platform.audit.entries()] == ["model.adopted", "model.shared"]


def test_adopting_the_same_files_twice_is_once(platform: Platform) -> None:
    first = platform.models.adopt([adopted()])
    before = platform.audit.entries()
    assert platform.models.adopt([adopted()]) == first
    assert platform.audit.entries() == before


def test_a_repeated_adoption_leaves_a_later_version_in_use(platform: Platform) -> None:
    platform.models.adopt([adopted()])
    (second,) = platform.models.register([trained()])
    platform.shared.share_models([second])
    platform.models.adopt([adopted()])
    assert platform.models.selected()["m"].version == 2
    assert dict(platform.shared.shared().champions) == {"m": 2}


def test_a_model_with_versions_is_not_adopted_and_neither_are_its_siblings(platform: Platform) -> None:
    platform.models.register([trained("m")])
    before = platform.audit.entries()
    with pytest.raises(HasVersions, match="m cannot be adopted"):
        platform.models.adopt([adopted("other"), adopted("m")])
    with pytest.raises(HasVersions, match="twins cannot be adopted"):
        platform.models.adopt([adopted("twins", "one"), adopted("twins", "two")])
    assert platform.audit.entries() == before
    assert platform.models.versions(["other"]) == {"other": []}
