"""Gates in daily life: rejections, edits while something waits, policies, and the audit log."""

from __future__ import annotations

import pytest

from tests.scenarios.repository import CIRCUIT01, CIRCUIT02, CIRCUITS, Repository, ids
from tests.users import AsUser

ONE_OR_TWO = "registry-promotion: {approvers: ['*'], minimum: 1, own_request: allowed}"


def pending(fleet: Repository, name: str) -> dict[str, object]:
    (found,) = [request for request in fleet.requests() if request["name"] == name]
    return found


def test_a_rejected_model_is_not_asked_for_again_until_its_subject_changes(promoted: Repository) -> None:
    promoted.declare("CIRCUIT02", "cutoff_date: 2025-02-27")
    assert promoted.type("train").code == 3
    (request,) = promoted.requests()
    assert promoted.type("reject", *ids([request]), "-m", "drifts in the morning").code == 0
    done = promoted.type("train")
    assert done.code == 0
    assert "1 rejected" in done.out
    assert promoted.type("train").code == 0
    assert promoted.requests() == []
    action, why = promoted.plan()[CIRCUIT02]
    assert action == "blocked"
    assert "version 2 was rejected" in why
    assert promoted.type("plan", "--detailed-exitcode").code == 0
    assert promoted.rows("SELECT version FROM champions WHERE name = 'plant001-circuit02'") == [(1,)]

    promoted.declare("CIRCUIT02", "cutoff_date: 2025-02-27, revision: 1")
    assert promoted.type("train").code == 3
    (again,) = promoted.requests()
    assert (again["model_name"], again["version"]) == ("plant001-circuit02", 3)


def test_a_revert_after_a_rejection_reuses_the_champion(promoted: Repository) -> None:
    promoted.declare("CIRCUIT02", "cutoff_date: 2025-02-27")
    promoted.type("train")
    promoted.type("reject", *ids(promoted.requests()), "-m", "no")
    promoted.type("train")
    promoted.declare("CIRCUIT02", "")
    assert promoted.actions()[CIRCUIT02] == "reuse"
    assert promoted.type("train").code == 0
    assert promoted.requests() == []


def test_a_threshold_edited_while_a_request_waits_voids_it_and_opens_another(trained: Repository) -> None:
    before = pending(trained, "plant001-circuit01")
    untouched = pending(trained, "plant001-circuit02")
    trained.declare("CIRCUIT01", "thresholds: {min_skill: -1}")
    assert trained.actions()[CIRCUIT01] == "up to date"
    assert trained.type("train").code == 3
    after = pending(trained, "plant001-circuit01")
    assert after["request_id"] != before["request_id"]
    assert after["version"] == before["version"]
    assert after["subject_digest"] != before["subject_digest"]
    shown = trained.type("approvals", "show", str(before["request_id"]), "--format", "json").json
    assert shown["state"] == "void"
    assert pending(trained, "plant001-circuit02") == untouched


def test_a_decision_on_a_voided_request_is_refused(trained: Repository) -> None:
    before = str(pending(trained, "plant001-circuit01")["request_id"])
    trained.declare("CIRCUIT01", "thresholds: {min_skill: -1}")
    trained.type("train")
    refused = trained.type("approve", before)
    assert refused.code == 1
    assert "is void" in refused.err


def test_an_approval_of_what_was_edited_since_promotes_nothing(trained: Repository) -> None:
    assert trained.type("approve", *ids(trained.requests())).code == 0
    trained.declare("CIRCUIT01", "thresholds: {min_skill: -1}")
    assert trained.type("train").code == 3
    assert trained.shared() == [("plant001-circuit02", 1)]


def test_an_unrelated_commit_voids_nothing(trained: Repository) -> None:
    before = trained.requests()
    (trained.folder / "NOTES.md").write_text("A note.\n")
    trained.edit(CIRCUITS, "# The circuits of this fleet", "# The circuits of this fine fleet")
    assert trained.type("train").code == 3
    assert trained.requests() == before


def test_a_stricter_policy_asks_anew(trained: Repository) -> None:
    before = ids(trained.requests())
    trained.edit("fleetcast.yaml", ONE_OR_TWO, ONE_OR_TWO.replace("minimum: 1", "minimum: 2"))
    assert trained.type("train").code == 3
    after = ids(trained.requests())
    assert len(after) == 3
    assert not set(before) & set(after)


def test_two_people_are_needed_where_the_policy_says_so(trained: Repository, as_user: AsUser) -> None:
    policy = ONE_OR_TWO.replace("minimum: 1", "minimum: 2").replace("allowed", "forbidden")
    trained.edit("fleetcast.yaml", ONE_OR_TWO, policy)
    as_user("ada")
    assert trained.type("train").code == 3
    assert trained.type("approve", "--passing").code == 1
    as_user("grace")
    said = trained.type("approve", "--passing").out
    assert "1 more to go: somebody else" in said
    assert "next:" not in said
    assert trained.type("approve", "--passing").code == 1
    assert trained.type("train").code == 3
    as_user("edsger")
    assert trained.type("approve", "--passing").code == 0
    as_user("ada")
    assert trained.type("train").code == 0
    assert len(trained.shared()) == 2


def test_who_is_not_an_approver_is_told_who_is(trained: Repository, as_user: AsUser) -> None:
    trained.edit("fleetcast.yaml", ONE_OR_TWO, ONE_OR_TWO.replace("'*'", "grace"))
    as_user("ada")
    trained.type("train")
    refused = trained.type("approve", "--passing")
    assert refused.code == 1
    assert "not an approver" in refused.err
    assert "grace" in refused.err
    assert len(trained.requests()) == 3


def test_only_the_set_that_was_displayed_is_approved(trained: Repository) -> None:
    displayed = trained.type("approvals", "list", "--format", "json").json["passing_set"]
    trained.declare("CIRCUIT01", "thresholds: {min_skill: -1}")
    trained.type("train")
    refused = trained.type("approve", "--passing", "--set", displayed[:12])
    assert refused.code == 1
    assert len(trained.requests()) == 3
    current = trained.type("approvals", "list", "--format", "json").json["passing_set"]
    assert trained.type("approve", "--passing", "--set", current[:12]).code == 0


def test_what_fails_a_check_is_left_for_a_person(declared: Repository) -> None:
    declared.declare("CIRCUIT01", "thresholds: {min_skill: 0.99}")
    declared.type("train")
    approved = declared.type("approve", "--passing")
    assert approved.code == 0
    (left,) = declared.requests()
    assert f"1 left for you to decide one by one, as checks failed: {left['request_id']}" in approved.out
    assert declared.type("train").code == 3
    assert declared.type("approve", str(left["request_id"]), "-m", "known sensor swap").code == 0
    assert declared.type("train").code == 0


def test_a_model_waits_for_the_environment_it_was_trained_with(trained: Repository) -> None:
    models = [request for request in trained.requests() if request["kind"] == "model"]
    assert trained.type("approve", *ids(models)).code == 0
    waiting = trained.type("train")
    assert waiting.code == 3
    assert "2 wait for their environment" in waiting.out
    assert trained.shared() == []
    trained.approve_all()
    assert trained.type("train").code == 0
    assert len(trained.shared()) == 2


def test_a_model_still_gets_its_environment_after_a_newer_one_was_declared(trained: Repository) -> None:
    trained.edit("config/environment.yaml", "version: 1.0.0", "version: 1.1.0")
    assert trained.type("train").code == 3
    environments = sorted(r["asset_version"] for r in trained.requests() if r["kind"] == "environment")
    assert environments == ["1.0.0", "1.1.0"]
    trained.approve_all()
    assert trained.type("train").code == 0
    assert len(trained.shared()) == 2


def test_approvals_are_shown_to_programs_with_all_their_evidence(trained: Repository) -> None:
    requests = trained.requests()
    assert [(request["kind"], request["name"], request["asset_version"]) for request in requests] == [
        ("environment", "fleetcast-training", "1.0.0"),
        ("model", "plant001-circuit01", "1"),
        ("model", "plant001-circuit02", "1"),
    ]
    model = requests[1]
    assert model["gate"] == "registry-promotion"
    assert model["passing"] is True
    assert {check["name"]: check["verdict"] for check in model["checks"]} == {
        "min_skill": "passed",
        "min_coverage_80": "passed",
        "max_coverage_80": "passed",
        "champion": "not comparable",
    }
    assert (model["plant_id"], model["circuit_id"]) == ("PLANT001", "CIRCUIT01")
    assert {"training hash", "data", "skill"} <= {fact["name"] for fact in model["facts"]}
    assert len(model["subject_digest"]) == 64


def test_a_rejection_needs_a_reason(trained: Repository) -> None:
    assert trained.type("reject", "1", "-m", "  ").code == 1
    assert len(trained.requests()) == 3


@pytest.mark.parametrize("number", ["0", "99"])
def test_a_request_that_does_not_exist_cannot_be_decided(trained: Repository, number: str) -> None:
    refused = trained.type("approve", number)
    assert refused.code == 1
    assert f"no request {number}" in refused.err


def test_deciding_several_is_all_or_none(trained: Repository) -> None:
    assert trained.type("approve", "1", "2", "99").code == 1
    assert len(trained.requests()) == 3


def test_naming_one_request_twice_is_once(trained: Repository) -> None:
    assert trained.type("approve", "2", "2").code == 0
    assert ids(trained.requests()) == ["1", "3"]


def test_the_audit_log_of_a_whole_life_is_unbroken(promoted: Repository) -> None:
    verified = promoted.type("audit", "verify")
    assert verified.code == 0
    assert "unbroken" in verified.out
    listed = promoted.type("audit", "list", "--last", "200", "--format", "json").json
    assert {"model.registered", "request.opened", "request.approved", "model.shared"} <= {
        entry["action"] for entry in listed
    }


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE audit SET content = replace(content, 'approve', 'approvd') WHERE number = 17",
        "DELETE FROM audit WHERE number = 3",
        "UPDATE audit SET number = 1000 WHERE number = 5",
        "UPDATE audit SET content = (SELECT content FROM audit WHERE number = 4) WHERE number = 5",
        "UPDATE audit SET content = 'scribble' WHERE number = 5",
        "UPDATE audit SET content = replace(content, 'asserted', 'verified') WHERE number = 2",
    ],
)
def test_tampering_with_the_audit_log_is_found(promoted: Repository, statement: str) -> None:
    promoted.change(statement)
    broken = promoted.type("audit", "verify")
    assert broken.code == 1
    assert broken.err.startswith("error: audit entry ")
    assert "backup" in broken.err


def test_both_circuits_are_up_to_date_whatever_people_decide(trained: Repository) -> None:
    trained.type("reject", "2", "-m", "no")
    assert trained.actions() == {CIRCUIT01: "up to date", CIRCUIT02: "up to date"}
    trained.type("train")
    assert trained.actions() == {CIRCUIT01: "blocked", CIRCUIT02: "up to date"}
