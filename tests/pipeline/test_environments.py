"""Stages 1 and 2: the training environment is registered once, and shared once people agree."""

from __future__ import annotations

from datetime import timedelta

import pytest

from fleetcast.domain.approval import LAPSES_AFTER, Choice, RequestState
from fleetcast.domain.assets import AssetKind, VersionTaken
from fleetcast.domain.errors import Unavailable
from fleetcast.domain.identity import CircuitKey
from fleetcast.domain.run import Ending
from tests.pipeline.world import ONE, TWO, World, circuit, environment, readings

SECOND = timedelta(seconds=1)


def test_an_environment_nobody_registered_is_registered(world: World) -> None:
    outcome = world.run("RegisterEnvironment")
    assert (outcome.ending, outcome.says) == (Ending.DONE, "training:1.0.0 registered")
    assert outcome.document == {
        "name": "training",
        "version": "1.0.0",
        "digest": environment().digest.hex,
        "newEnvironmentRegistered": True,
    }
    assert world.registered(AssetKind.ENVIRONMENT) == ["1.0.0"]


def test_registering_an_environment_again_does_nothing(world: World) -> None:
    world.run("RegisterEnvironment")
    outcome = world.run("RegisterEnvironment")
    assert (outcome.ending, outcome.says) == (Ending.DONE, "training:1.0.0 is registered")
    assert outcome.document["newEnvironmentRegistered"] is False
    assert world.actions() == ["environment.registered"]


def test_a_new_version_is_registered_beside_the_old_one(world: World) -> None:
    world.run("RegisterEnvironment")
    world.declare(environment=environment("1.1.0"))
    assert world.run("RegisterEnvironment").says == "training:1.1.0 registered"
    assert world.registered(AssetKind.ENVIRONMENT) == ["1.0.0", "1.1.0"]


def test_other_packages_under_a_registered_version_are_refused(world: World) -> None:
    world.run("RegisterEnvironment")
    world.declare(environment=environment("1.0.0", ["numpy>=2", "scipy"]))
    with pytest.raises(VersionTaken, match=r"training:1\.0\.0 is registered as"):
        world.run("RegisterEnvironment")
    assert world.actions() == ["environment.registered"]


def test_an_environment_that_is_not_shared_is_asked_for_and_not_shared_yet(world: World) -> None:
    outcome = world.upto("PromoteEnvironment")
    assert (outcome.ending, outcome.says) == (Ending.AWAITING, "training:1.0.0 awaits approval")
    assert outcome.document == {
        "environments": [{"name": "training", "version": "1.0.0", "request": 1, "state": "pending"}]
    }
    assert world.request_states() == ["training:1.0.0 pending"]
    assert world.shared_environments() == []


def test_an_environment_that_waits_is_not_asked_for_twice(world: World) -> None:
    world.upto("PromoteEnvironment")
    assert world.run("PromoteEnvironment").ending is Ending.AWAITING
    assert world.request_states() == ["training:1.0.0 pending"]
    assert world.actions() == ["environment.registered", "request.opened"]


def test_an_approved_environment_is_shared(world: World) -> None:
    world.upto("PromoteEnvironment")
    world.decide()
    outcome = world.run("PromoteEnvironment")
    assert (outcome.ending, outcome.says) == (Ending.DONE, "training:1.0.0 is shared")
    assert outcome.document["environments"][0]["state"] == "approved"
    assert world.shared_environments() == ["1.0.0"]


def test_a_shared_environment_is_neither_asked_for_nor_shared_again(world: World) -> None:
    world.upto("PromoteEnvironment")
    world.decide()
    world.run("PromoteEnvironment")
    done = world.actions()
    outcome = world.run("PromoteEnvironment")
    assert (outcome.ending, outcome.says) == (Ending.DONE, "training:1.0.0 is shared")
    assert outcome.document == {
        "environments": [{"name": "training", "version": "1.0.0", "request": None, "state": "shared"}]
    }
    assert world.actions() == done


def test_a_rejected_environment_is_not_shared_and_not_asked_for_again(world: World) -> None:
    world.upto("PromoteEnvironment")
    world.decide(Choice.REJECT)
    for _ in range(2):
        outcome = world.run("PromoteEnvironment")
        assert outcome.ending is Ending.DONE
        assert outcome.says == "training:1.0.0 was rejected and is not asked for again"
        assert outcome.document["environments"][0]["state"] == "rejected"
    assert world.request_states() == ["training:1.0.0 rejected"]
    assert world.shared_environments() == []


def test_a_newer_version_takes_the_place_of_one_that_waits(world: World) -> None:
    world.upto("PromoteEnvironment")
    world.declare(environment=environment("1.1.0"))
    assert world.upto("PromoteEnvironment").says == "training:1.1.0 awaits approval"
    assert world.request_states() == ["training:1.0.0 void", "training:1.1.0 pending"]


def test_a_request_that_lapsed_is_asked_again(world: World) -> None:
    world.upto("PromoteEnvironment")
    world.clock.sleep(LAPSES_AFTER)
    assert world.run("PromoteEnvironment").ending is Ending.AWAITING
    assert world.request_states() == ["training:1.0.0 lapsed", "training:1.0.0 pending"]


def test_other_rules_at_the_gate_ask_anew(world: World) -> None:
    world.upto("PromoteEnvironment")
    world.set_gate(minimum=2)
    world.run("PromoteEnvironment")
    assert world.request_states() == ["training:1.0.0 void", "training:1.0.0 pending"]
    assert [request.policy.minimum for request in world.requests(RequestState.PENDING)] == [2]


def test_the_first_environment_shows_its_packages(world: World) -> None:
    world.declare(environment=environment("1.0.0", ["scipy", "numpy>=2"]))
    world.upto("PromoteEnvironment")
    assert world.evidence("training") == {"python": "3.11", "packages": "numpy>=2, scipy"}


def test_an_environment_without_packages_says_none(world: World) -> None:
    world.declare(environment=environment("1.0.0", []))
    world.upto("PromoteEnvironment")
    assert world.evidence("training")["packages"] == "none"


def test_a_later_environment_shows_what_differs_from_the_shared_one(world: World) -> None:
    world.upto("PromoteEnvironment")
    world.decide()
    world.run("PromoteEnvironment")
    world.declare(environment=environment("1.1.0", ["numpy>=3", "scipy"]))
    world.upto("PromoteEnvironment")
    assert world.facts("training") == [
        ("python", "3.11"),
        ("replaces", "training:1.0.0"),
        ("removed", "numpy>=2"),
        ("added", "numpy>=3"),
        ("added", "scipy"),
    ]


def test_what_differs_is_shown_in_order_whatever_the_order_of_a_set(world: World) -> None:
    old, new = ["a1", "b1", "c1", "d1", "e1", "f1"], ["a2", "b2", "c2", "d2", "e2", "f2"]
    world.declare(environment=environment("1.0.0", old))
    world.upto("PromoteEnvironment")
    world.decide()
    world.run("PromoteEnvironment")
    world.declare(environment=environment("1.1.0", new))
    world.upto("PromoteEnvironment")
    facts = world.facts("training")
    assert [value for name, value in facts if name == "removed"] == old
    assert [value for name, value in facts if name == "added"] == new


def test_a_version_that_was_registered_but_never_shared_is_not_what_is_replaced(world: World) -> None:
    world.run("RegisterEnvironment")
    world.declare(environment=environment("1.1.0"))
    world.upto("PromoteEnvironment")
    assert world.evidence("training") == {"python": "3.11", "packages": "numpy>=2"}


def test_sharing_waits_until_the_environment_is_visible(world: World) -> None:
    world.slow_registry(5 * SECOND)
    world.upto("PromoteEnvironment")
    world.decide()
    assert world.run("PromoteEnvironment").says == "training:1.0.0 is shared"
    assert world.clock.slept == [2 * SECOND, 4 * SECOND]


def test_an_environment_that_does_not_show_fails_and_is_not_shared_twice(world: World) -> None:
    world.slow_registry(130 * SECOND)
    world.upto("PromoteEnvironment")
    world.decide()
    with pytest.raises(Unavailable, match=r"training:1\.0\.0 was shared but is not visible in the registry"):
        world.run("PromoteEnvironment")
    world.clock.sleep(10 * SECOND)
    assert world.run("PromoteEnvironment").says == "training:1.0.0 is shared"
    assert world.actions("environment.shared") == ["environment.shared training:1.0.0"]


def test_an_older_version_that_models_wait_for_is_asked_for_still(world: World) -> None:
    world.upto("PromoteModels")
    world.declare(environment=environment("1.1.0"))
    outcome = world.upto("PromoteEnvironment")
    assert outcome.says == "training:1.1.0 awaits approval; training:1.0.0 awaits approval"
    assert [each["version"] for each in outcome.document["environments"]] == ["1.1.0", "1.0.0"]
    world.decide()
    world.run("PromoteEnvironment")
    assert world.shared_environments() == ["1.0.0", "1.1.0"]


def test_older_versions_are_asked_for_in_their_order(world: World) -> None:
    keys = [CircuitKey("P1", f"C{i}") for i in range(6)]
    world.table.commit(*map(readings, keys))
    for i, key in enumerate(keys):
        world.declare(*(circuit(each, delta_version=1) for each in keys), environment=environment(f"1.{i}.0"))
        world.upto("RegisterModels", only=key)
    says = world.run("PromoteEnvironment").document["environments"]
    assert [each["version"] for each in says] == ["1.5.0", "1.0.0", "1.1.0", "1.2.0", "1.3.0", "1.4.0"]


def test_one_version_still_waiting_makes_the_stage_wait(world: World) -> None:
    world.upto("RegisterModels")
    world.decide(Choice.REJECT)
    world.declare(environment=environment("1.1.0"))
    outcome = world.upto("PromoteEnvironment")
    assert outcome.ending is Ending.AWAITING
    assert outcome.says == (
        "training:1.1.0 awaits approval; training:1.0.0 was rejected and is not asked for again"
    )


def test_models_that_are_shared_keep_no_older_version_alive(world: World) -> None:
    world.promote()
    world.declare(environment=environment("1.1.0"))
    assert world.upto("PromoteEnvironment").says == "training:1.1.0 awaits approval"


def test_models_of_circuits_no_longer_declared_keep_no_older_version_alive(world: World) -> None:
    world.upto("RegisterModels", only=TWO)
    world.declare(world.circuit(ONE), environment=environment("1.1.0"))
    assert world.upto("PromoteEnvironment").says == "training:1.1.0 awaits approval"


def test_an_older_version_that_is_registered_nowhere_cannot_be_asked_for(world: World) -> None:
    world.upto("RegisterModels")
    world.lose_assets()
    world.declare(environment=environment("1.1.0"))
    assert world.upto("PromoteEnvironment").says == "training:1.1.0 awaits approval"


def test_a_model_that_was_trained_elsewhere_needs_no_environment(world: World) -> None:
    world.adopt(ONE, shared=False)
    world.upto("RegisterModels", only=TWO)
    world.declare(environment=environment("1.1.0"))
    outcome = world.upto("PromoteEnvironment")
    assert outcome.says == "training:1.1.0 awaits approval; training:1.0.0 awaits approval"
