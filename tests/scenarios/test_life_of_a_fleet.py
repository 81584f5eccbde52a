"""The whole life of a fleet, and what each kind of change leads to."""

from __future__ import annotations

import pytest

from tests.scenarios.repository import CIRCUIT01, CIRCUIT02, CIRCUITS, ENVIRONMENT, STAGES, Repository

UP_TO_DATE = {CIRCUIT01: "up to date", CIRCUIT02: "up to date"}


def test_a_new_fleet_is_planned_trained_approved_and_promoted(declared: Repository) -> None:
    planned = declared.type("plan", "--detailed-exitcode")
    assert planned.code == 2
    assert "Plan: 2 to train" in planned.out
    assert declared.type("train").code == 3
    listed = declared.type("approvals", "list")
    assert "3 pass every check" in listed.out
    assert declared.type("approve", "--passing", "-m", "first models").code == 0
    done = declared.type("train")
    assert done.code == 0
    assert "2 promoted" in done.out
    assert declared.shared() == [("plant001-circuit01", 1), ("plant001-circuit02", 1)]
    after = declared.type("plan", "--detailed-exitcode")
    assert after.code == 0
    assert "Nothing to do" in after.out
    assert declared.type("audit", "verify").code == 0


def test_training_a_promoted_fleet_again_does_nothing(promoted: Repository) -> None:
    before = promoted.rows("SELECT count(*) FROM audit")
    again = promoted.type("train")
    assert again.code == 0
    assert "nothing to train" in again.out
    assert "2 promoted before" in again.out
    assert promoted.rows("SELECT count(*) FROM audit") == before


def test_a_changed_cutoff_trains_exactly_that_circuit(promoted: Repository) -> None:
    promoted.declare("CIRCUIT02", "cutoff_date: 2025-02-27")
    plan = promoted.plan()
    assert plan[CIRCUIT01][0] == "up to date"
    assert plan[CIRCUIT02][0] == "train"
    assert plan[CIRCUIT02][1].startswith("cutoff_date 2025-02-25 → 2025-02-27")
    promoted.promote()
    assert promoted.versions() == [
        ("plant001-circuit01", 1),
        ("plant001-circuit02", 1),
        ("plant001-circuit02", 2),
    ]
    assert ("plant001-circuit02", 2) in promoted.shared()


def test_a_challenger_is_held_against_the_champion(promoted: Repository) -> None:
    promoted.declare("CIRCUIT02", "cutoff_date: 2025-02-28")
    assert promoted.type("train").code == 3
    (request,) = promoted.requests()
    champion = next(check for check in request["checks"] if check["name"] == "champion")
    assert "against version 1" in champion["says"]
    assert any("cutoff_date 2025-02-25 → 2025-02-28" in fact["value"] for fact in request["facts"])


def test_a_new_environment_is_promoted_and_retrains_nothing(promoted: Repository) -> None:
    promoted.edit(ENVIRONMENT, "version: 1.0.0", "version: 1.1.0")
    assert promoted.actions() == UP_TO_DATE
    assert promoted.type("plan", "--detailed-exitcode").code == 2
    assert promoted.type("train").code == 3
    (request,) = promoted.requests()
    assert (request["kind"], request["asset_version"]) == ("environment", "1.1.0")
    promoted.approve_all()
    assert promoted.type("train").code == 0
    assert len(promoted.versions()) == 2
    assert promoted.rows("SELECT version FROM shared_environments ORDER BY 1") == [("1.0.0",), ("1.1.0",)]
    assert promoted.type("plan", "--detailed-exitcode").code == 0


def test_a_new_component_retrains_every_circuit_and_its_revert_trains_none(promoted: Repository) -> None:
    promoted.bump_component("1.0.0", "1.1.0")
    plan = promoted.plan()
    assert {action for action, _ in plan.values()} == {"train"}
    assert all("pipeline_component_version 1.0.0 → 1.1.0" in why for _, why in plan.values())
    promoted.promote()
    assert [version for _, version in promoted.versions()] == [1, 2, 1, 2]
    promoted.bump_component("1.1.0", "1.0.0")
    assert set(promoted.actions().values()) == {"reuse"}
    jobs = promoted.jobs()
    reverted = promoted.type("train")
    assert reverted.code == 0
    assert "2 reused" in reverted.out
    assert promoted.jobs() == jobs
    assert promoted.actions() == UP_TO_DATE
    assert promoted.rows("SELECT version FROM champions") == [(1,), (1,)]
    assert promoted.type("plan", "--detailed-exitcode").code == 0


def test_equal_configuration_on_different_data_makes_two_models(trained: Repository) -> None:
    models = trained.models()
    assert len({model["artifact"]["hex"] for model in models}) == 2
    assert len({model["lineage"]["fingerprint"]["hex"] for model in models}) == 2


def test_a_removed_circuit_goes_out_of_use_and_comes_back_without_training(promoted: Repository) -> None:
    promoted.edit(CIRCUITS, "      CIRCUIT02: {}\n", "")
    assert promoted.actions()[CIRCUIT02] == "removed"
    done = promoted.type("train")
    assert done.code == 0
    assert "1 out of use" in done.out
    assert len(promoted.versions()) == 2
    assert promoted.actions() == {CIRCUIT01: "up to date"}
    promoted.edit(CIRCUITS, "      CIRCUIT01: {}\n", "      CIRCUIT01: {}\n      CIRCUIT02: {}\n")
    assert promoted.actions()[CIRCUIT02] == "reuse"
    jobs = promoted.jobs()
    assert promoted.type("train").code == 0
    assert promoted.jobs() == jobs


def test_an_edit_of_what_is_outside_the_hash_changes_nothing(promoted: Repository) -> None:
    promoted.declare("CIRCUIT01", "description: the one by the window, owner: cooling, tags: {line: A}")
    assert promoted.actions() == UP_TO_DATE
    assert promoted.type("train").code == 0
    assert promoted.requests() == []


def test_stage_by_stage_is_the_same_as_train(declared: Repository, trained: Repository) -> None:
    begun = declared.type("stage", STAGES[0], "--format", "json")
    assert begun.code == 0
    run = begun.json["run_id"]
    codes = [declared.type("stage", name, "--run", run).code for name in STAGES[1:]]
    assert codes == [3, 0, 0, 0, 0, 0, 3]
    assert declared.versions() == trained.versions()
    query = "SELECT name, version, training_hash, inputs FROM model_versions ORDER BY 1, 2"
    assert declared.rows(query) == trained.rows(query)
    artifacts = [[model["artifact"] for model in fleet.models()] for fleet in (declared, trained)]
    assert artifacts[0] == artifacts[1]
    shown = declared.type("runs", "show", run, "--format", "json").json
    assert [record["stage"] for record in shown["stages"]] == list(STAGES)
    assert shown["state"] == "awaiting approval"
    assert [request["name"] for request in declared.requests()] == [
        request["name"] for request in trained.requests()
    ]


def test_artifacts_deleted_between_stages_lose_nothing(declared: Repository) -> None:
    run = declared.type("stage", STAGES[0], "--format", "json").json["run_id"]
    for name in STAGES[1:]:
        for file in (declared.state / "runs" / run).iterdir():
            file.unlink()
        assert declared.type("stage", name, "--run", run).code in (0, 3)
    declared.approve_all()
    assert declared.type("train").code == 0
    assert len(declared.versions()) == 2


def test_frozen_rows_deleted_before_training_are_read_again(declared: Repository) -> None:
    for name in STAGES[:4]:
        declared.type("stage", name)
    for file in (declared.state / "frozen").rglob("*.parquet"):
        file.unlink()
    assert declared.type("train").code == 3
    assert len(declared.versions()) == 2


def test_frozen_rows_deleted_before_promotion_change_no_evidence(promoted: Repository) -> None:
    promoted.declare("CIRCUIT02", "cutoff_date: 2025-02-28")
    promoted.type("train")
    before = promoted.requests()
    for file in (promoted.state / "frozen").rglob("*.parquet"):
        file.unlink()
    assert promoted.type("train").code == 3
    assert promoted.requests() == before


def test_a_stage_of_another_state_of_the_fleet_is_refused(declared: Repository) -> None:
    run = declared.type("stage", STAGES[0], "--format", "json").json["run_id"]
    declared.declare("CIRCUIT01", "revision: 1")
    refused = declared.type("stage", STAGES[1], "--run", run)
    assert refused.code == 1
    assert "another state of the fleet" in refused.err


def test_only_the_circuits_named_are_trained(declared: Repository) -> None:
    assert declared.type("train", "--circuits", CIRCUIT02).code == 3
    assert declared.versions() == [("plant001-circuit02", 1)]
    assert declared.actions() == {CIRCUIT01: "train", CIRCUIT02: "up to date"}


def test_training_some_circuits_leaves_the_requests_of_others_alone(trained: Repository) -> None:
    before = trained.requests()
    trained.declare("CIRCUIT02", "revision: 1")
    assert trained.type("train", "--circuits", CIRCUIT02).code == 3
    after = {request["request_id"]: request for request in trained.requests("--all")}
    untouched = [request for request in before if request["name"] != "plant001-circuit02"]
    assert [after[request["request_id"]] for request in untouched] == untouched
    assert len(untouched) == 2


@pytest.mark.parametrize("named", ["PLANT001/CIRCUIT09", "PLANT001", "../x", "", ","])
def test_circuits_that_do_not_exist_are_refused(declared: Repository, named: str) -> None:
    refused = declared.type("train", "--circuits", named)
    assert refused.code == 1
    assert refused.err.startswith("error: ")
    assert declared.versions() == []


def test_a_saved_plan_is_applied(declared: Repository) -> None:
    saved = declared.folder / "plan.json"
    assert declared.type("plan", "--out", str(saved)).code == 0
    assert declared.type("train", "--plan", str(saved)).code == 3


def test_a_saved_plan_is_refused_once_the_fleet_has_moved_on(declared: Repository) -> None:
    saved = declared.folder / "plan.json"
    declared.type("plan", "--out", str(saved))
    declared.declare("CIRCUIT01", "revision: 1")
    refused = declared.type("train", "--plan", str(saved))
    assert refused.code == 1
    assert "moved on" in refused.err
    assert declared.versions() == []


def test_a_saved_plan_is_refused_once_it_was_applied(declared: Repository) -> None:
    saved = declared.folder / "plan.json"
    declared.type("plan", "--out", str(saved))
    declared.type("train", "--plan", str(saved))
    assert declared.type("train", "--plan", str(saved)).code == 1


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"digest": 7}'])
def test_a_file_that_is_no_plan_is_refused(declared: Repository, content: str) -> None:
    saved = declared.folder / "plan.json"
    saved.write_text(content)
    refused = declared.type("train", "--plan", str(saved))
    assert refused.code == 1
    assert refused.err.startswith("error: ")


def test_plan_changes_nothing(declared: Repository) -> None:
    declared.type("plan")
    assert declared.audited() == ["policy.taken"] * 3  # with the database itself, at the first command
    assert declared.type("runs", "list", "--format", "json").json == []


def test_markdown_shows_the_same_plan(declared: Repository) -> None:
    shown = declared.type("plan", "--format", "markdown").out
    assert "| `PLANT001/CIRCUIT01` | train | new circuit |" in shown
    assert "**Plan: 2 to train.**" in shown
