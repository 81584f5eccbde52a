"""Stage 3: the training component is registered once, if it can run here and every circuit's version is known."""

from __future__ import annotations

import pytest

from fleetcast.domain.assets import AssetKind, VersionTaken
from fleetcast.domain.errors import BadInput
from fleetcast.domain.run import Ending
from tests.pipeline.world import FIT, ONE, World, component


def test_a_component_nobody_registered_is_registered(world: World) -> None:
    outcome = world.run("RegisterComponents")
    assert (outcome.ending, outcome.says) == (Ending.DONE, "pipeline:1.0.0 registered")
    assert outcome.document == {
        "components": [{"name": "pipeline", "version": "1.0.0", "digest": component().digest.hex}],
        "newComponentRegistered": True,
    }
    assert world.registered(AssetKind.COMPONENT) == ["1.0.0"]


def test_registering_a_component_again_does_nothing(world: World) -> None:
    world.run("RegisterComponents")
    outcome = world.run("RegisterComponents")
    assert (outcome.ending, outcome.says) == (Ending.DONE, "pipeline:1.0.0 is registered")
    assert outcome.document["newComponentRegistered"] is False
    assert world.actions() == ["component.registered"]


def test_other_steps_under_a_registered_version_are_refused(world: World) -> None:
    world.run("RegisterComponents")
    world.declare(component=component("1.0.0", ["sh -c true", FIT]))
    with pytest.raises(VersionTaken, match=r"pipeline:1\.0\.0 is registered as"):
        world.run("RegisterComponents")
    assert world.actions() == ["component.registered"]


def test_a_component_that_cannot_run_here_is_not_registered(world: World) -> None:
    world.declare(component=component("1.0.0", ["no-such-program --fast", FIT]))
    with pytest.raises(BadInput, match=r"step 'step-1' of pipeline:1\.0\.0 runs 'no-such-program'"):
        world.run("RegisterComponents")
    assert world.actions() == []


def test_a_circuit_that_names_an_unknown_version_is_named_with_the_versions_there_are(world: World) -> None:
    for minor in range(5):
        world.declare(component=component(f"1.{minor}.0"))
        world.run("RegisterComponents")
    world.change(ONE, component_version="2.0.0")
    with pytest.raises(
        BadInput, match=r"P1/C1 names pipeline:2\.0\.0, neither declared nor registered"
    ) as refused:
        world.run("RegisterComponents")
    assert refused.value.fix == "there are 1.0.0, 1.1.0, 1.2.0, 1.3.0, 1.4.0"


def test_a_circuit_may_stay_with_an_older_registered_version(world: World) -> None:
    world.run("RegisterComponents")
    world.declare(component=component("1.1.0"))
    world.change(ONE, component_version="1.1.0")
    assert world.run("RegisterComponents").says == "pipeline:1.1.0 registered"
    assert world.registered(AssetKind.COMPONENT) == ["1.0.0", "1.1.0"]


def test_a_circuit_may_not_stay_with_a_version_that_was_never_registered(world: World) -> None:
    world.declare(component=component("1.1.0"))
    with pytest.raises(BadInput, match=r"P1/C1 names pipeline:1\.0\.0"):
        world.run("RegisterComponents")


def test_circuits_that_were_not_asked_for_are_not_checked(world: World) -> None:
    world.change(ONE, component_version="2.0.0")
    assert world.run("RegisterComponents", only=world.fleet.circuits[1].key).ending is Ending.DONE
