"""Stage 7: each completed job's model is registered once, and what is declared again is used again."""

from __future__ import annotations

from fleetcast.domain.approval import Choice
from fleetcast.domain.circuit import Cutoff
from fleetcast.domain.model import TrainedLineage
from fleetcast.domain.run import Ending
from fleetcast.domain.training_hash import HASH_SCHEMA, training_hash, training_inputs
from tests.pipeline.world import COMMIT, FIT, ONE, TWO, World, component

EARLY, LATE = Cutoff.parse("2025-01-14"), Cutoff.parse("2025-01-20")


def test_the_model_of_a_completed_job_is_registered_and_in_use(world: World) -> None:
    outcome = world.upto("RegisterModels")
    assert (outcome.ending, outcome.says) == (Ending.DONE, "2 registered")
    assert world.selected() == {"p1-c1": 1, "p1-c2": 1}
    assert world.actions("model.registered") == ["model.registered p1-c1:1", "model.registered p1-c2:1"]


def test_a_registered_model_stands_in_the_document(world: World) -> None:
    world.upto("MonitorTraining")
    (job,) = world.jobs(ONE)
    document = world.run("RegisterModels", only=ONE).document
    assert job.outcome is not None
    assert document == {
        "registered": [
            {
                "name": "p1-c1",
                "version": 1,
                "plant_id": "P1",
                "circuit_id": "C1",
                "training_hash": job.task.training_hash.hex,
                "component_version": "1.0.0",
                "environment_version": "1.0.0",
                "commit": "0123abc",
                "job": job.id,
                "fingerprint": job.fingerprint.hex,
                "artifact": job.outcome.artifact.hex,
                "mase": job.outcome.scores.mean.mase,
                "sensors": {name: {"mae": each.mae} for name, each in job.outcome.scores.sensors.items()},
                "skill": job.outcome.scores.mean.skill,
            }
        ],
        "reused": [],
        "removed": [],
        "without_job": [],
        "damaged": [],
    }


def test_a_model_knows_where_it_comes_from(world: World) -> None:
    world.upto("MonitorTraining")
    (job,) = world.jobs(ONE)
    world.begin_run()
    world.run("RegisterModels")
    model = world.used("p1-c1").model
    inputs = training_inputs(world.circuit(ONE))
    assert model.lineage == TrainedLineage(
        training_hash=training_hash(inputs),
        hash_schema=HASH_SCHEMA,
        inputs=inputs,
        key=ONE,
        component="pipeline",
        component_version="1.0.0",
        component_digest=component().digest,
        environment_version="1.0.0",
        commit="0123abc",
        run="run-0001",
        job=job.id,
        data_digest=world.data_digest(ONE),
        fingerprint=job.fingerprint,
    )
    assert job.outcome is not None
    assert (model.artifact, model.artifact_bytes, model.scores, model.trained_seconds) == (
        job.outcome.artifact,
        job.outcome.artifact_bytes,
        job.outcome.scores,
        0.0,
    )


def test_registering_again_does_nothing(world: World) -> None:
    world.upto("RegisterModels")
    done = world.actions()
    outcome = world.run("RegisterModels")
    assert (outcome.ending, outcome.says) == (Ending.DONE, "nothing new")
    assert outcome.document == {
        "registered": [],
        "reused": [],
        "removed": [],
        "without_job": [],
        "damaged": [],
    }
    assert world.actions() == done


def test_with_no_job_there_is_nothing_to_register(world: World) -> None:
    outcome = world.run("RegisterModels")
    assert (outcome.ending, outcome.says) == (Ending.FAILED, "2 without a job (P1/C1): run SubmitTraining")
    assert outcome.document["without_job"] == ["P1/C1", "P1/C2"]
    assert world.selected() == {}


def test_a_job_that_has_not_ended_is_not_registered(world: World) -> None:
    world.upto("SubmitTraining")
    world.run("MonitorTraining", only=TWO)
    assert world.run("RegisterModels").says == "1 registered"
    assert world.selected() == {"p1-c2": 1}


def test_a_job_that_failed_is_not_registered(world: World) -> None:
    world.declare(component=component("1.0.0", ["grep -q C2 ${{inputs.task}}", FIT]))
    world.upto("MonitorTraining")
    assert world.run("RegisterModels").says == "1 registered"
    assert world.selected() == {"p1-c2": 1}


def test_only_circuits_that_were_asked_for_are_registered(world: World) -> None:
    world.upto("MonitorTraining")
    assert world.run("RegisterModels", only=TWO).says == "1 registered"
    assert world.run("RegisterModels").says == "1 registered"
    assert world.actions("model.registered") == ["model.registered p1-c2:1", "model.registered p1-c1:1"]


def test_a_changed_circuit_gets_the_next_version(world: World) -> None:
    world.upto("RegisterModels")
    world.change(ONE, cutoff=LATE)
    assert world.upto("RegisterModels").says == "1 registered"
    assert world.selected() == {"p1-c1": 2, "p1-c2": 1}


def test_a_circuit_declared_as_before_uses_its_earlier_version(world: World) -> None:
    world.upto("RegisterModels")
    world.change(ONE, cutoff=LATE)
    world.upto("RegisterModels")
    world.change(ONE, cutoff=EARLY)
    outcome = world.upto("RegisterModels")
    assert (outcome.says, outcome.document["reused"]) == ("1 reused", [{"name": "p1-c1", "version": 1}])
    assert world.selected() == {"p1-c1": 1, "p1-c2": 1}
    assert world.states("p1-c1") == ["registered", "registered"]


def test_what_is_reused_already_is_not_selected_again(world: World) -> None:
    world.upto("RegisterModels")
    world.change(ONE, cutoff=LATE)
    world.upto("RegisterModels")
    world.change(ONE, cutoff=EARLY)
    world.upto("RegisterModels")
    assert world.run("RegisterModels").says == "nothing new"
    assert world.actions("model.selected") == [
        "model.selected p1-c1:1",
        "model.selected p1-c2:1",
        "model.selected p1-c1:2",
        "model.selected p1-c1:1",
    ]


def test_a_model_carries_the_commit_that_submitted_its_job(world: World) -> None:
    world.upto("MonitorTraining")
    world.begin_run(commit="of a later state")
    world.run("RegisterModels")
    assert world.used("p1-c1").model.lineage.commit == COMMIT


def test_a_rejected_version_is_not_used_again(world: World) -> None:
    world.upto("PromoteModels")
    world.decide(Choice.REJECT, about="p1-c1")
    world.upto("PromoteModels")
    assert world.upto("RegisterModels").says == "nothing new"
    assert world.states("p1-c1") == ["rejected"]


def test_a_circuit_no_longer_declared_is_out_of_use(world: World) -> None:
    world.upto("RegisterModels")
    world.declare(world.circuit(TWO))
    outcome = world.run("RegisterModels")
    assert (outcome.says, outcome.document["removed"]) == ("1 out of use", ["p1-c1"])
    assert world.selected() == {"p1-c2": 1}
    assert world.states("p1-c1") == ["registered"]


def test_what_is_out_of_use_is_not_taken_out_twice(world: World) -> None:
    world.upto("RegisterModels")
    world.declare(world.circuit(TWO))
    world.run("RegisterModels")
    assert world.run("RegisterModels").says == "nothing new"
    assert world.actions("model.deselected") == ["model.deselected p1-c1"]


def test_a_run_about_some_circuits_takes_no_other_out_of_use(world: World) -> None:
    world.upto("RegisterModels")
    world.declare(world.circuit(TWO))
    assert world.run("RegisterModels", only=TWO).says == "nothing new"
    assert world.selected() == {"p1-c1": 1, "p1-c2": 1}


def test_all_that_happened_is_said_in_one_line(world: World) -> None:
    world.upto("RegisterModels")
    world.change(ONE, cutoff=LATE)
    world.upto("RegisterModels")
    world.declare(world.circuit(ONE))
    world.change(ONE, cutoff=EARLY)
    assert world.run("RegisterModels").says == "1 reused, 1 out of use"
