"""What is lost or damaged is neither registered, asked for, shared nor crowned, and is named by the next plan."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from fleetcast.domain.approval import RequestState
from fleetcast.domain.circuit import Cutoff
from fleetcast.domain.identity import Digest
from fleetcast.domain.job import JobState
from fleetcast.domain.run import Ending
from fleetcast.workflows.fleet_status import CircuitState
from fleetcast.workflows.plan import MakePlan
from fleetcast.workflows.status import ShowStatus
from fleetcast.workflows.verify_models import VerifyModels
from tests.pipeline.world import ONE, World

EARLY, LATE = Cutoff.parse("2025-01-14"), Cutoff.parse("2025-01-20")


def flip(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[0] ^= 1
    path.write_bytes(content)


DAMAGES = {
    "cut": lambda path: path.write_bytes(path.read_bytes()[:-1]),
    "flipped": flip,
    "added to": lambda path: path.with_name("more.bin").write_bytes(b"x"),
    "gone": Path.unlink,
}
every_damage = pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES)


def artifact_of(world: World, name: str) -> Digest:
    return world.platform.workspace.models.versions([name])[name][-1].model.artifact


def spoil(world: World, artifact: Digest, damage: Callable[[Path], object]) -> None:
    damage(world.platform.workspace.artifacts.folder(artifact) / "weights.safetensors")


@every_damage
def test_a_damaged_model_is_not_registered_and_its_job_is_done_again(
    world: World, damage: Callable[[Path], object]
) -> None:
    world.upto("MonitorTraining")
    (job,) = world.jobs(ONE)
    assert job.outcome is not None
    spoil(world, job.outcome.artifact, damage)
    outcome = world.run("RegisterModels")
    assert outcome.ending is Ending.FAILED
    assert outcome.says.startswith("1 registered, 1 cannot be loaded (p1-c1: artifact ")
    assert [lost["name"] for lost in outcome.document["damaged"]] == ["p1-c1"]
    assert world.selected() == {"p1-c2": 1}
    (voided,) = world.jobs(ONE)
    assert (voided.state, voided.outcome) == (JobState.FAILED, None)
    assert "its model is lost" in voided.error
    assert world.upto("RegisterModels").says == "1 registered"
    assert world.selected() == {"p1-c1": 1, "p1-c2": 1}


@every_damage
def test_nobody_is_asked_about_a_damaged_model(world: World, damage: Callable[[Path], object]) -> None:
    world.upto("RegisterModels")
    spoil(world, artifact_of(world, "p1-c1"), damage)
    outcome = world.run("PromoteModels")
    assert outcome.ending is Ending.FAILED
    asked = {request.subject.name for request in world.requests(RequestState.PENDING)}
    assert "p1-c2" in asked
    assert "p1-c1" not in asked


@every_damage
def test_a_model_damaged_after_its_approval_is_neither_shared_nor_crowned(
    world: World, damage: Callable[[Path], object]
) -> None:
    world.upto("PromoteModels")
    world.decide()
    spoil(world, artifact_of(world, "p1-c1"), damage)
    outcome = world.upto("PromoteModels")
    assert outcome.ending is Ending.FAILED
    assert "1 promoted" in outcome.says
    assert "1 cannot be loaded (p1-c1: artifact " in outcome.says
    assert set(world.platform.workspace.shared.shared().models) == {"p1-c2"}
    assert set(world.platform.control.states.intent().champions) == {"p1-c2"}


def test_a_damaged_version_is_not_used_again(world: World) -> None:
    world.promote()
    first = artifact_of(world, "p1-c1")
    world.change(ONE, cutoff=LATE)
    world.promote()
    spoil(world, first, flip)
    world.change(ONE, cutoff=EARLY)
    outcome = world.upto("RegisterModels")
    assert (outcome.ending, outcome.document["reused"]) == (Ending.FAILED, [])
    assert world.selected()["p1-c1"] == 2


@pytest.mark.parametrize("damage", [DAMAGES["cut"], DAMAGES["added to"], DAMAGES["gone"]])
def test_plan_and_status_name_a_champion_whose_files_are_gone_or_of_another_size(
    world: World, damage: Callable[[Path], object]
) -> None:
    world.promote()
    assert MakePlan(world.platform, world.clock)(world.fleet).unloadable == ()
    spoil(world, artifact_of(world, "p1-c1"), damage)
    plan = MakePlan(world.platform, world.clock)(world.fleet)
    (lost,) = plan.unloadable
    assert (lost.key, lost.version, lost.is_champion) == (ONE, 1, True)
    assert not plan.has_changes
    status = ShowStatus(world.platform, world.clock)(world.fleet)
    (needing,) = status.needing_somebody
    assert (needing.state, needing.command) == (CircuitState.DAMAGED, f"fleetcast models verify {ONE}")
    assert status.next_steps[0].command == "fleetcast models verify"


@every_damage
def test_verifying_reads_every_byte(world: World, damage: Callable[[Path], object]) -> None:
    world.promote()
    verify = VerifyModels(world.platform)
    assert verify(world.fleet).unloadable == ()
    spoil(world, artifact_of(world, "p1-c1"), damage)
    verified = verify(world.fleet)
    assert (verified.read, [lost.key for lost in verified.unloadable]) == (2, [ONE])
    assert verify(world.fleet, ["P1/C2"]).unloadable == ()
