"""Stage 8: each model in use is asked for once, with its evidence, and shared once people agree."""

from __future__ import annotations

from datetime import timedelta

import numpy as np
import pytest

from fleetcast.domain.approval import LAPSES_AFTER, Choice, RequestState, SubjectKind
from fleetcast.domain.circuit import Cutoff
from fleetcast.domain.errors import Unavailable
from fleetcast.domain.evidence import Outcome, SensorLeftOut, SensorsCheck
from fleetcast.domain.run import Ending
from fleetcast.domain.thresholds import Limits, Thresholds
from tests.pipeline.world import DAYS, ONE, TWO, World, circuit, environment, readings

EARLY, LATE = Cutoff.parse("2025-01-14"), Cutoff.parse("2025-01-20")
SECOND = timedelta(seconds=1)


def about_models(world: World) -> list[str]:
    """How each request about a model stands."""
    return [state for state in world.request_states() if not state.startswith("training:")]


def test_without_models_there_is_nothing_to_promote(world: World) -> None:
    outcome = world.run("PromoteModels")
    assert (outcome.ending, outcome.says) == (Ending.DONE, "nothing to promote")
    assert outcome.document == {"promotions": [], "already_shared": 0, "damaged": []}


def test_each_model_that_is_not_shared_is_asked_for_and_not_shared_yet(world: World) -> None:
    outcome = world.upto("PromoteModels")
    assert (outcome.ending, outcome.says) == (Ending.AWAITING, "2 await approval")
    assert about_models(world) == ["p1-c1:1 pending", "p1-c2:1 pending"]
    assert world.shared_models() == []


def test_a_request_stands_in_the_document_with_its_checks(world: World) -> None:
    outcome = world.upto("PromoteModels", only=ONE)
    assert outcome.document == {
        "promotions": [
            {
                "name": "p1-c1",
                "version": 1,
                "shared": False,
                "waits_for": None,
                "request": 2,
                "state": "pending",
                "checks": [
                    {
                        "name": "champion",
                        "verdict": "not comparable",
                        "measured": {"kind": "champion", "comparison": {"kind": "no champion"}},
                    }
                ],
            }
        ],
        "already_shared": 0,
        "damaged": [],
    }


def test_a_model_that_waits_is_not_asked_for_twice(world: World) -> None:
    world.upto("PromoteModels")
    done = world.actions()
    outcome = world.run("PromoteModels")
    assert (outcome.ending, outcome.says) == (Ending.AWAITING, "2 await approval")
    assert world.actions() == done


def test_an_approved_model_is_shared_and_becomes_the_champion(world: World) -> None:
    world.upto("PromoteModels")
    world.decide()
    outcome = world.upto("PromoteModels")
    assert (outcome.ending, outcome.says) == (Ending.DONE, "2 promoted")
    assert [each["shared"] for each in outcome.document["promotions"]] == [True, True]
    assert world.shared_models() == ["p1-c1:1", "p1-c2:1"]
    assert world.champions() == {"p1-c1": 1, "p1-c2": 1}


def test_a_shared_model_is_neither_asked_for_nor_shared_again(world: World) -> None:
    world.promote()
    done = world.actions()
    outcome = world.run("PromoteModels")
    assert (outcome.ending, outcome.says) == (Ending.DONE, "2 promoted before")
    assert outcome.document == {"promotions": [], "already_shared": 2, "damaged": []}
    assert world.actions() == done


def test_each_model_is_its_own_decision(world: World) -> None:
    world.upto("PromoteModels")
    world.decide(about="training")
    world.decide(about="p1-c2")
    outcome = world.upto("PromoteModels")
    assert (outcome.ending, outcome.says) == (Ending.AWAITING, "1 promoted, 1 await approval")
    assert world.shared_models() == ["p1-c2:1"]


def test_a_rejected_model_is_marked_and_not_shared(world: World) -> None:
    world.upto("PromoteModels")
    world.decide(about="training")
    world.decide(Choice.REJECT)
    outcome = world.upto("PromoteModels")
    assert (outcome.ending, outcome.says) == (Ending.DONE, "2 rejected")
    assert (world.states("p1-c1"), world.shared_models()) == (["rejected"], [])


def test_a_rejected_model_is_not_asked_for_again(world: World) -> None:
    world.upto("PromoteModels")
    world.decide(Choice.REJECT)
    world.upto("PromoteModels")
    done = world.actions()
    assert world.run("PromoteModels").says == "nothing to promote"
    assert world.actions() == done
    assert about_models(world) == ["p1-c1:1 rejected", "p1-c2:1 rejected"]


def test_an_approved_model_waits_until_its_environment_is_shared(world: World) -> None:
    world.upto("PromoteModels")
    world.decide(about="p1-c1")
    outcome = world.run("PromoteModels", only=ONE)
    assert (outcome.ending, outcome.says) == (Ending.AWAITING, "1 wait for their environment")
    assert outcome.document["promotions"][0]["waits_for"] == "environment training:1.0.0"
    assert world.shared_models() == []


def test_a_model_that_waited_for_its_environment_is_shared_after_it(world: World) -> None:
    world.upto("PromoteModels")
    world.decide(about="p1-c1")
    world.run("PromoteModels")
    world.decide(about="training")
    assert world.upto("PromoteModels", only=ONE).says == "1 promoted"
    assert world.shared_models() == ["p1-c1:1"]


def test_another_environment_is_not_the_one_a_model_needs(world: World) -> None:
    world.upto("PromoteModels")
    world.declare(environment=environment("1.1.0"))
    world.upto("PromoteEnvironment")
    world.decide(about="training:1.1.0")
    world.run("PromoteEnvironment")
    world.decide(about="p1-c1")
    assert world.run("PromoteModels", only=ONE).says == "1 wait for their environment"


def test_a_model_that_was_trained_elsewhere_waits_for_no_environment(world: World) -> None:
    world.adopt(ONE, shared=False)
    world.run("PromoteModels")
    world.decide()
    assert world.run("PromoteModels").says == "1 promoted"
    assert world.shared_models() == ["p1-c1:1"]


def test_a_version_that_was_shared_before_is_champion_again_without_being_asked_for(world: World) -> None:
    world.promote()
    world.change(ONE, cutoff=LATE)
    world.promote()
    assert world.champions()["p1-c1"] == 2
    world.change(ONE, cutoff=EARLY)
    outcome = world.upto("PromoteModels")
    assert (outcome.ending, outcome.says) == (Ending.DONE, "2 promoted before")
    assert world.champions()["p1-c1"] == 1
    assert world.requests(RequestState.PENDING) == []


def test_a_champion_is_crowned_once(world: World) -> None:
    world.promote()
    world.change(ONE, cutoff=LATE)
    world.promote()
    world.change(ONE, cutoff=EARLY)
    world.upto("PromoteModels")
    world.run("PromoteModels")
    assert world.actions("model.crowned") == [
        "model.crowned p1-c1:1",
        "model.crowned p1-c2:1",
        "model.crowned p1-c1:2",
        "model.crowned p1-c1:1",
    ]


def test_a_comparison_is_made_once_for_each_subject(world: World) -> None:
    world.promote()
    world.change(ONE, cutoff=LATE)
    world.upto("RegisterModels")
    opened = world.count_artifacts()
    world.run("PromoteModels")
    of_one_subject = (
        3  # the challenger when it is verified (and signed) and when it is compared, and the champion
    )
    assert len(opened) == of_one_subject
    world.run("PromoteModels")
    assert len(opened) == of_one_subject
    world.change(ONE, thresholds=Thresholds(Limits(max_mae=100.0)))
    world.run("PromoteModels")
    assert len(opened) == 2 * of_one_subject


def test_a_model_is_asked_for_only_where_it_is_what_its_circuit_declares(world: World) -> None:
    world.declare(circuit(ONE))
    world.upto("PromoteModels")
    world.decide(Choice.REJECT, about="p1-c1")
    world.upto("PromoteModels")
    world.change(ONE, revision=1)
    world.upto("PromoteModels")
    assert world.requests()[-1].subject.version == "2"
    assert world.requests()[-1].state is RequestState.PENDING
    world.change(ONE, revision=0)
    outcome = world.upto("PromoteModels")
    assert outcome.says == "nothing to promote"
    assert world.request_states()[-1] == "p1-c1:2 void"
    assert world.champions() == {}


def test_a_circuit_that_was_not_asked_for_is_left_alone(world: World) -> None:
    world.upto("PromoteModels")
    world.decide()
    world.upto("PromoteModels", only=TWO)
    assert world.shared_models() == ["p1-c2:1"]


# What voids a request


def test_other_thresholds_ask_anew(world: World) -> None:
    world.upto("PromoteModels")
    world.change(ONE, thresholds=Thresholds(Limits(min_skill=0.5)))
    world.run("PromoteModels")
    assert about_models(world) == ["p1-c1:1 void", "p1-c2:1 pending", "p1-c1:1 pending"]


@pytest.mark.parametrize("label", [{"description": "boiler"}, {"owner": "grace"}, {"tags": {"hall": "2"}}])
def test_what_a_circuit_says_for_people_voids_nothing(world: World, label: dict[str, object]) -> None:
    world.upto("PromoteModels")
    world.change(ONE, **label)
    world.run("PromoteModels")
    assert about_models(world) == ["p1-c1:1 pending", "p1-c2:1 pending"]


def test_other_rules_at_the_gate_ask_anew(world: World) -> None:
    world.upto("PromoteModels")
    world.set_gate(own_request_allowed=False)
    world.run("PromoteModels")
    assert about_models(world) == [
        "p1-c1:1 void",
        "p1-c2:1 void",
        "p1-c1:1 pending",
        "p1-c2:1 pending",
    ]


def test_a_newer_model_takes_the_place_of_one_that_waits(world: World) -> None:
    world.upto("PromoteModels")
    world.change(ONE, cutoff=LATE)
    world.upto("PromoteModels")
    assert about_models(world) == ["p1-c1:1 void", "p1-c2:1 pending", "p1-c1:2 pending"]


def test_a_circuit_no_longer_declared_is_no_longer_asked_for(world: World) -> None:
    world.upto("PromoteModels")
    world.declare(world.circuit(TWO))
    world.upto("PromoteModels")
    assert about_models(world) == ["p1-c1:1 void", "p1-c2:1 pending"]


def test_a_run_about_some_circuits_voids_no_request_about_others(world: World) -> None:
    world.upto("PromoteModels")
    world.run("PromoteModels", only=TWO)
    assert about_models(world) == ["p1-c1:1 pending", "p1-c2:1 pending"]


def test_a_request_that_lapsed_is_asked_again(world: World) -> None:
    world.upto("PromoteModels", only=ONE)
    world.clock.sleep(LAPSES_AFTER)
    world.run("PromoteModels", only=ONE)
    assert about_models(world) == ["p1-c1:1 lapsed", "p1-c1:1 pending"]


def test_requests_about_environments_are_left_alone(world: World) -> None:
    world.upto("PromoteEnvironment")
    world.declare(environment=environment("1.1.0"))
    world.run("PromoteModels")
    assert world.request_states() == ["training:1.0.0 pending"]


# Being visible


def test_sharing_waits_until_all_models_are_visible(world: World) -> None:
    world.upto("PromoteModels")
    world.decide()
    world.run("PromoteEnvironment")
    world.slow_registry(5 * SECOND)
    assert world.run("PromoteModels").says == "2 promoted"
    assert world.clock.slept == [2 * SECOND, 4 * SECOND, 8 * SECOND]


def test_models_that_do_not_show_fail_and_are_not_shared_twice(world: World) -> None:
    world.upto("PromoteModels")
    world.decide()
    world.run("PromoteEnvironment")
    world.slow_registry(130 * SECOND)
    with pytest.raises(Unavailable, match="2 models was shared but is not visible in the registry"):
        world.run("PromoteModels")
    world.clock.sleep(140 * SECOND)
    assert world.run("PromoteModels").says == "2 promoted before"
    assert len(world.actions("model.shared")) == 2


# Evidence


def test_a_first_model_shows_its_data_and_its_backtest(world: World) -> None:
    world.upto("PromoteModels")
    evidence = world.evidence("p1-c1")
    mean = world.used("p1-c1").model.scores.mean
    assert list(evidence) == [
        "champion",
        "circuit",
        "training hash",
        "data",
        "skill",
        "MASE",
        "coverage 80",
        "coverage 95",
        "weakest sensor",
        "baseline",
    ]
    assert evidence["circuit"] == "P1/C1"
    assert evidence["data"] == "336 rows, 2025-01-01 00:00 to 2025-01-14 23:00 UTC"
    assert evidence["MASE"] == f"{mean.mase:.3f}"


def test_checks_hold_a_model_against_its_thresholds(world: World) -> None:
    world.change(ONE, thresholds=Thresholds(Limits(min_skill=0.0), {"pressure": Limits(max_mae=0.001)}))
    world.upto("PromoteModels")
    evidence = world.evidence("p1-c1")
    assert evidence["min_skill"].startswith("passed: skill")
    assert evidence["pressure max_mae"].startswith("failed: mae")


def test_a_sensor_that_was_left_out_is_shown(world: World) -> None:
    world.table.commit(readings(ONE, temperature=np.full(24 * DAYS, 20.0)))
    world.declare(circuit(ONE, delta_version=1))
    world.upto("PromoteModels")
    (request,) = world.requests(RequestState.PENDING)[-1:]
    (check,) = [check for check in request.evidence.checks if isinstance(check, SensorsCheck)]
    assert check.left_out == (SensorLeftOut("temperature", "it never changes from 20"),)
    assert request.evidence.outcome is Outcome.FAILING


def test_the_weakest_sensor_is_shown_with_its_skill(world: World) -> None:
    hours = np.arange(24 * DAYS)
    world.table.commit(readings(ONE, pressure=np.sin(hours * 2 * np.pi / 7) + hours % 2))
    world.declare(circuit(ONE, delta_version=1, hyperparameters={"season": 7}))
    world.upto("PromoteModels")
    scores = world.used("p1-c1").model.scores.sensors
    weakest = min(scores, key=lambda name: scores[name].skill or 0.0)
    assert world.evidence("p1-c1")["weakest sensor"] == f"{weakest}, skill {scores[weakest].skill:.3f}"
    assert weakest == "temperature"


def test_of_a_single_sensor_none_is_the_weakest(world: World) -> None:
    world.declare(circuit(ONE, targets=("pressure",)))
    world.upto("PromoteModels")
    assert "weakest sensor" not in world.evidence("p1-c1")


def test_a_model_that_was_trained_elsewhere_shows_no_data_and_no_backtest(world: World) -> None:
    world.adopt(ONE, shared=False)
    world.run("PromoteModels")
    assert list(world.evidence("p1-c1")) == ["champion", "circuit", "training hash"]


def test_what_replaces_a_champion_shows_what_differs(world: World) -> None:
    world.promote()
    world.change(ONE, cutoff=LATE)
    world.upto("PromoteModels")
    assert world.evidence("p1-c1")["replaces"] == "version 1: cutoff_date 2025-01-14 → 2025-01-20"


def test_what_replaces_an_adopted_champion_says_so(world: World) -> None:
    world.adopt(ONE)
    world.change(ONE, revision=1)
    world.upto("PromoteModels")
    assert world.evidence("p1-c1")["replaces"] == "version 1, which was trained elsewhere: revision 0 → 1"


def test_a_version_that_was_never_promoted_is_not_the_champion(world: World) -> None:
    world.promote()
    world.change(ONE, cutoff=LATE)
    world.upto("PromoteModels")
    world.change(ONE, cutoff=Cutoff.parse("2025-01-22"))
    world.upto("PromoteModels")
    assert world.evidence("p1-c1")["replaces"].startswith("version 1: ")


def test_progress_is_told_model_by_model(world: World) -> None:
    world.upto("PromoteModels")
    assert [(each.done, each.total, each.note) for each in world.progress] == [
        (1, 2, "p1-c1"),
        (2, 2, "p1-c2"),
    ]


def test_a_request_pins_what_is_approved(world: World) -> None:
    world.upto("PromoteModels", only=ONE)
    request = world.requests(RequestState.PENDING)[-1]
    held = world.used("p1-c1")
    assert request.subject.kind is SubjectKind.MODEL
    assert request.subject.artifact == held.model.artifact
    assert request.subject.evidence == request.evidence.digest
    assert (request.run, request.requested_by) == ("run-0001", world.actor)
