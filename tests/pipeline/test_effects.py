"""Sharing as an effect: intended, done, confirmed by reading back, recorded; a crash between any two is finished."""

from __future__ import annotations

import pytest

from fleetcast.domain.errors import Unavailable
from tests.pipeline.world import World


def test_what_was_reported_failed_but_is_done_is_recorded(world: World) -> None:
    world.upto("PromoteModels")
    world.decide()
    world.failing_registry(does_it=True)
    outcome = world.upto("PromoteModels")
    assert outcome.says == "2 promoted"
    assert world.actions("model.shared") == ["model.shared p1-c1:1", "model.shared p1-c2:1"]
    assert world.champions() == {"p1-c1": 1, "p1-c2": 1}


def test_what_failed_and_is_not_done_is_an_error_and_is_done_by_the_next_run(world: World) -> None:
    world.upto("PromoteEnvironment")
    world.decide()
    fixed = world.failing_registry(does_it=False)
    with pytest.raises(Unavailable, match="the registry does not answer"):
        world.run("PromoteEnvironment")
    assert world.actions("environment.shared") == []
    assert [effect.key for effect in world.unconfirmed()] == ["share environment training:1.0.0"]
    fixed()
    world.run("PromoteEnvironment")
    assert world.actions("environment.shared") == ["environment.shared training:1.0.0"]
    assert world.unconfirmed() == []


def test_what_was_shared_before_a_crash_is_recorded_by_the_next_run_and_not_shared_again(
    world: World,
) -> None:
    world.upto("PromoteModels")
    world.decide()
    world.run("PromoteEnvironment")
    world.crash_after_sharing("p1-c1")
    assert world.actions("model.shared") == []
    world.run("PromoteModels")
    assert sorted(world.actions("model.shared")) == ["model.shared p1-c1:1", "model.shared p1-c2:1"]
    assert world.champions() == {"p1-c1": 1, "p1-c2": 1}
    assert world.unconfirmed() == []


def test_an_effect_of_another_kind_is_left_to_whoever_knows_it(world: World) -> None:
    world.intend("shift traffic PLANT001 green 10")
    world.run("PromoteModels")
    assert [effect.key for effect in world.unconfirmed()] == ["shift traffic PLANT001 green 10"]
