"""Gate policies: what a fleet repository declares holds only as far as the policy in force allows."""

from __future__ import annotations

import pytest

from tests.scenarios.repository import Repository
from tests.users import AsUser

SETTINGS = "fleetcast.yaml"
ME = "ada"


@pytest.fixture(autouse=True)
def _i_am_ada(as_user: AsUser) -> None:
    as_user(ME)


def gates(fleet: Repository, policy: str) -> None:
    """Declare the policy of the gate `registry-promotion`."""
    path = fleet.folder / SETTINGS
    kept = [line for line in path.read_text().splitlines() if not line.startswith("gates:")]
    place = next(
        (i for i, line in enumerate(path.read_text().splitlines()) if line.startswith("gates:")), None
    )
    if place is not None:
        kept = without_block(path.read_text().splitlines(), place)
    written = [f"gates: {{registry-promotion: {policy}}}"] if policy else []
    path.write_text("\n".join([*kept, *written]) + "\n")


def without_block(lines: list[str], place: int) -> list[str]:
    end = next(
        (i for i in range(place + 1, len(lines)) if lines[i] and not lines[i][0].isspace()), len(lines)
    )
    return lines[:place] + lines[end:]


def policy_entries(fleet: Repository) -> list[str]:
    return [action for action in fleet.audited() if action.startswith("policy.")]


def test_the_first_policies_are_taken_when_the_database_is_made_and_audited(declared: Repository) -> None:
    assert declared.type("plan").code == 0
    assert policy_entries(declared) == ["policy.taken"] * 3
    assert declared.type("plan").code == 0
    assert policy_entries(declared) == ["policy.taken"] * 3


def test_a_restriction_holds_at_once_even_before_a_run(trained: Repository) -> None:
    gates(trained, "{approvers: [grace]}")
    (first, *_) = trained.requests()
    refused = trained.type("approve", str(first["request_id"]))
    assert refused.code == 1
    assert "ada is not an approver of registry-promotion" in refused.err
    assert trained.type("plan").code == 0
    assert "change policy registry-promotion" in trained.type("plan").out
    assert trained.type("train").code == 3
    assert policy_entries(trained)[-1] == "policy.changed"
    assert "change policy" not in trained.type("plan").out


@pytest.mark.parametrize(
    "loosened",
    ["{approvers: [ada, grace]}", "{approvers: [ada]}", "{approvers: ['*'], own_request: allowed}", ""],
)
def test_a_loosened_policy_is_asked_for_under_the_one_in_force(
    trained: Repository, as_user: AsUser, loosened: str
) -> None:
    gates(trained, "{approvers: [grace]}")
    assert trained.type("train").code == 3
    gates(trained, loosened)
    waiting = trained.type("plan")
    assert "change policy registry-promotion" in waiting.out
    assert "asks at that gate" in waiting.out
    assert trained.type("train").code == 3
    (asked,) = [request for request in trained.requests() if request["kind"] == "policy"]
    assert (asked["gate"], asked["name"]) == ("registry-promotion", "registry-promotion")
    number = str(asked["request_id"])
    assert f"awaits approval, request {number}" in trained.type("plan").out
    assert "ada is not an approver" in trained.type("approve", number).err
    models = [request for request in trained.requests() if request["kind"] == "model"]
    assert "ada is not an approver" in trained.type("approve", str(models[0]["request_id"])).err
    as_user("grace")
    assert trained.type("approve", number).code == 0
    assert trained.type("train").code == 3
    assert policy_entries(trained)[-1] == "policy.changed"
    as_user(ME)
    models = [request for request in trained.requests() if request["kind"] == "model"]
    assert trained.type("approve", str(models[0]["request_id"])).code == 0


def test_a_rejected_change_of_a_policy_leaves_it_in_force_and_is_not_asked_again(
    trained: Repository, as_user: AsUser
) -> None:
    gates(trained, "{approvers: [grace]}")
    assert trained.type("train").code == 3
    gates(trained, "{approvers: [ada, grace]}")
    assert trained.type("train").code == 3
    (asked,) = [request for request in trained.requests() if request["kind"] == "policy"]
    as_user("grace")
    assert trained.type("reject", str(asked["request_id"]), "--comment", "no").code == 0
    assert trained.type("train").code == 3
    assert [request for request in trained.requests() if request["kind"] == "policy"] == []
    assert "change policy" not in trained.type("plan").out
    as_user(ME)
    (first, *_) = trained.requests()
    assert "ada is not an approver" in trained.type("approve", str(first["request_id"])).err


def test_an_edit_taken_back_voids_its_request(trained: Repository) -> None:
    gates(trained, "{approvers: [grace], own_request: forbidden}")
    assert trained.type("train").code == 3
    gates(trained, "{approvers: [grace, ada], own_request: forbidden}")
    assert trained.type("train").code == 3
    gates(trained, "{approvers: [grace], own_request: forbidden}")
    assert trained.type("train").code == 3
    states = [request["state"] for request in trained.requests("--all") if request["kind"] == "policy"]
    assert states == ["void"]


@pytest.mark.parametrize("content", [None, ""])
def test_an_empty_or_missing_settings_file_opens_no_gate(trained: Repository, content: str | None) -> None:
    gates(trained, "{approvers: [grace]}")
    assert trained.type("train").code == 3
    path = trained.folder / SETTINGS
    if content is None:
        path.unlink()
    else:
        path.write_text(content)
    for request in trained.requests() if trained.type("approvals", "list").code == 0 else []:
        assert trained.type("approve", str(request["request_id"])).code == 1
    assert trained.type("approve", "--passing").code in (0, 1)
    assert "request.approved" not in trained.audited()
