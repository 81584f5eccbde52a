"""The model registry counts versions, the shared registry keeps their numbers, and what is decided is kept apart."""

from __future__ import annotations

from datetime import timedelta

import pytest

from fleetcast.domain.audit import about_model
from fleetcast.domain.errors import BadInput
from fleetcast.domain.model import FleetIndex, Refusal
from fleetcast.domain.place import EnvironmentName
from fleetcast.domain.release import Release, ServedModel
from fleetcast.domain.retention import ArtifactToGo, VersionToJudge
from fleetcast.pipeline.index import ReadIndex
from fleetcast.ports.platform import Platform
from tests.clocks import NOON
from tests.contracts.samples import digest, environment, request, trained


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


def to_go(*versions: int, files: str = "artifact") -> ArtifactToGo:
    old = NOON - timedelta(days=400)
    judged = [VersionToJudge("m", number, digest(files), 10, old) for number in versions]
    return ArtifactToGo(digest(files), 10, tuple(judged))


def test_a_version_whose_files_go_is_used_by_nothing_and_stays_known(platform: Platform) -> None:
    (version,) = platform.workspace.models.register([trained("m", "job-1", training_hash="h")])
    states = platform.control.states
    assert states.retire([to_go(1)], 30) == [to_go(1)]
    assert states.intent().removed == {("m", 1): NOON}
    assert set(states.refused()) == {("m", 1)}
    index = index_of(platform)
    assert index.refusal("m", 1) is Refusal.REMOVED
    assert index.with_hash("m", digest("h")) is None
    assert platform.workspace.models.versions(["m"])["m"] == [version]
    about = about_model("m")
    event = platform.control.audit.about([about])[about][-1].event
    assert (event.action, event.subject, event.detail["retention_days"]) == ("model.retired", "m:1", 30)


def test_retiring_again_is_once_and_what_people_said_of_a_version_stays_said(platform: Platform) -> None:
    platform.workspace.models.register([trained("m", "job-1")])
    states = platform.control.states
    states.reject([("m", 1)])
    states.retire([to_go(1)], 30)
    before = list(platform.control.audit.entries())
    assert states.retire([to_go(1)], 30) == [to_go(1)]
    assert list(platform.control.audit.entries()) == before
    assert states.intent().refusal("m", 1) is Refusal.REJECTED


@pytest.mark.parametrize("use", ["selected", "champion", "asked", "live", "composed"])
def test_what_was_taken_into_use_meanwhile_does_not_go(platform: Platform, use: str) -> None:
    control = platform.control
    platform.workspace.models.register([trained("m", "job-1"), trained("m", "job-2"), trained("m", "job-3")])
    match use:
        case "selected":
            control.states.select({"m": 2})
        case "champion":
            control.states.crown({"m": 2})
        case "asked":
            control.approvals.open([request("m", "2")])
        case _:
            served = ServedModel("m", 2, digest("artifact"), digest("h"))
            kept = control.releases.keep([Release(EnvironmentName.PROD, "P", "1.0.0", {"c": served})])
            if use == "live":
                other = ServedModel("m", 4, digest("other"), digest("h"))
                control.releases.make_live(kept)
                control.releases.keep([Release(EnvironmentName.PROD, "P", "1.0.0", {"c": other})])
    # Versions 1 and 2 have the same files: neither goes.
    assert control.states.retire([to_go(1, 2), to_go(3, files="others")], 30) == [to_go(3, files="others")]
    assert set(control.states.intent().removed) == {("m", 3)}


def test_nothing_is_composed_of_a_version_whose_files_are_gone(platform: Platform) -> None:
    platform.control.states.retire([to_go(1)], 30)
    served = ServedModel("m", 1, digest("artifact"), digest("h"))
    release = Release(EnvironmentName.PROD, "P", "1.0.0", {"c": served})
    with pytest.raises(BadInput, match="retention removed its files"):
        platform.control.releases.keep([release])
    assert platform.control.releases.newest(EnvironmentName.PROD) == {}
