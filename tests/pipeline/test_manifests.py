"""Manifests: signed before people are asked, and held against what is about to be shared."""

from __future__ import annotations

import pytest

from fleetcast.domain.approval import Choice
from fleetcast.domain.identity import Digest
from fleetcast.platforms.control.manifests import ControlManifestBook
from fleetcast.platforms.database import schema
from fleetcast.stored.manifests import SIGNED_MANIFEST
from tests.pipeline.world import ONE, World
from tests.signing import signed, signer

MISSING = (
    "it has no signed manifest: raise `revision` to train it again, or write `unsigned: allowed` at the gate"
)


def book(world: World) -> ControlManifestBook:
    found = world.platform.control.manifests
    assert isinstance(found, ControlManifestBook)
    return found


def forget(world: World) -> None:
    book(world).session.change(lambda connection: connection.execute(schema.manifests.delete()))


def held(world: World) -> set[str]:
    rows = book(world).session.read(
        lambda connection: connection.execute(schema.manifests.select()).fetchall()
    )
    return {f"{row.model}:{row.version}" for row in rows}


def test_a_version_is_signed_when_people_are_asked_about_it(world: World) -> None:
    world.upto("RegisterModels")
    assert held(world) == set()
    world.run("PromoteModels")
    assert held(world) == {"p1-c1:1", "p1-c2:1"}
    world.decide(Choice.APPROVE)
    world.upto("PromoteModels")
    assert world.champions() == {"p1-c1": 1, "p1-c2": 1}


def test_what_waited_before_there_were_manifests_is_signed_as_long_as_nobody_has_decided(
    world: World,
) -> None:
    world.upto("PromoteModels")
    forget(world)
    world.decide(Choice.APPROVE, about="training")
    world.decide(Choice.APPROVE, about="p1-c1")
    outcome = world.upto("PromoteModels")
    assert held(world) == {"p1-c2:1"}
    assert world.shared_models() == []
    assert f"1 cannot be loaded (p1-c1: {MISSING})" in outcome.says


def test_a_manifest_that_was_removed_after_the_approval_is_not_made_again(world: World) -> None:
    world.upto("PromoteModels")
    world.decide(Choice.APPROVE)
    forget(world)
    outcome = world.upto("PromoteModels")
    assert MISSING in outcome.says
    assert world.champions() == {}
    assert held(world) == set()


def test_what_is_unsigned_is_shared_where_the_policy_says_so(world: World) -> None:
    world.set_gate(unsigned_allowed=True)
    world.upto("PromoteModels")
    world.decide(Choice.APPROVE)
    forget(world)
    world.upto("PromoteModels")
    assert world.champions() == {"p1-c1": 1, "p1-c2": 1}


@pytest.mark.parametrize("unsigned_allowed", [True, False])
def test_a_manifest_by_a_key_that_nobody_trusts_is_refused_whatever_the_policy(
    world: World, unsigned_allowed: bool
) -> None:
    world.set_gate(unsigned_allowed=unsigned_allowed)
    world.upto("PromoteModels")
    world.decide(Choice.APPROVE)

    def forge(digest: Digest) -> str:
        files = world.platform.workspace.artifacts.files(digest)
        from fleetcast.domain.manifest import Manifest

        return SIGNED_MANIFEST.to_json(signed(Manifest.of("p1-c1", 1, files), signer(9)))

    forged = forge(world.used("p1-c1").model.artifact)
    table = schema.manifests
    book(world).session.change(
        lambda connection: connection.execute(
            table.update().where(table.c.model == "p1-c1").values(content=forged)
        )
    )
    outcome = world.upto("PromoteModels")
    assert "which nobody here trusts" in outcome.says
    assert world.champions() == {"p1-c2": 1}


def test_a_version_that_is_used_again_needs_no_manifest_but_no_wrong_one_either(world: World) -> None:
    world.promote()
    world.change(ONE, revision=1)
    world.promote()
    forget(world)
    world.change(ONE, revision=0)
    world.upto("PromoteModels")
    assert world.champions()["p1-c1"] == 1
