"""Dummy pipelines: every stage and gate in seconds, and nothing of the fleet's own is touched."""

from __future__ import annotations

import json
import zipfile
from contextlib import redirect_stderr, redirect_stdout
from io import StringIO
from pathlib import Path
from typing import Any

import pytest

from fleetcast.cli.main import run
from fleetcast.config.templates import NewFleet, init_fleet
from fleetcast.domain.identity import CircuitKey
from tests.scenarios.repository import STAGES, Said

CIRCUITS = [CircuitKey("LYON", f"C{number}") for number in (1, 2, 3)]


@pytest.fixture
def fleet(tmp_path: Path) -> Path:
    """Three circuits whose readings nobody has."""
    init_fleet(tmp_path / "fleet", NewFleet(circuits=CIRCUITS, delta_version=41))
    return tmp_path / "fleet"


@pytest.fixture
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder without a fleet, to work in."""
    folder = tmp_path / "elsewhere"
    folder.mkdir()
    monkeypatch.chdir(folder)
    return folder


def dummy(*words: str) -> Said:
    out, err = StringIO(), StringIO()
    with redirect_stdout(out), redirect_stderr(err):
        code = run(["dummy", *words])
    return Said(code, out.getvalue(), err.getvalue())


def told(*words: str, code: int = 0) -> Any:
    said = dummy(*words, "--format", "json")
    assert said.code == code, said.out + said.err
    return json.loads(said.out)


def says(told: Any, stage: str, run_number: int = -1) -> str:
    stages = {record["stage"]: record["says"] for record in told["runs"][run_number]["stages"]}
    return str(stages[stage])


def test_the_whole_story_where_there_is_no_fleet(elsewhere: Path) -> None:
    asked = ["--simulate-job-failures", "2", "--simulate-new-environment", "--simulate-circuit-changes", "3"]
    said = dummy("train", *asked, "--simulate-propagation-delay", "2s")
    assert said.code == 0, said.out + said.err
    for stage in STAGES:
        assert stage in said.out
    for expected in (
        "a dummy of 6 circuits",
        "the training environment is 1.0.1 now, and was 1.0.0",
        "3 circuits changed",
        "2 jobs fail at the first attempt",
        "gate registry-promotion: ",
        "approved by stand-in-1",
        "waited for, without letting the time pass",
    ):
        assert expected in said.out
    assert list(elsewhere.iterdir()) == []


def test_what_is_pretended_is_what_happens(fleet: Path) -> None:
    found = told(
        "train",
        "--fleet",
        str(fleet),
        "--simulate-circuit-changes",
        "2",
        "--simulate-job-failures",
        "1",
        "--simulate-new-environment",
    )
    assert len(found["runs"]) == 4, "as declared, approved; changed, approved"
    assert "3 jobs" in says(found, "SubmitTraining", 0)
    assert "2 jobs" in says(found, "SubmitTraining", 2)
    assert "2 " in says(found, "RegisterModels", 2)
    names = [(request["gate"], request["state"]) for request in found["requests"]]
    assert names == [("registry-promotion", "approved")] * (4 + 3)
    assert found["skipped_seconds"] > 0, "a failed job is tried again after a while"


def test_what_is_shared_shows_later(fleet: Path) -> None:
    found = told("train", "--fleet", str(fleet), "--simulate-propagation-delay", "45s")
    assert found["skipped_seconds"] >= 45
    assert found["runs"][-1]["state"] == "done"


def test_a_registry_that_never_shows_it_ends_with_an_error(fleet: Path) -> None:
    said = dummy("train", "--fleet", str(fleet), "--simulate-propagation-delay", "1h")
    assert said.code == 1
    assert "not visible in the registry after 120 s" in said.err


def test_a_state_carries_a_run_from_stage_to_stage(fleet: Path, tmp_path: Path) -> None:
    state = ("--fleet", str(fleet), "--state", str(tmp_path / "state"))
    waiting = told("train", *state, "--gates", "wait", code=3)
    assert says(waiting, "RegisterModels").startswith("3 ")
    assert waiting["requests"] == []
    promoted = told("promote", "LYON/C2", *state, "--to", "registry")
    shared = {request["model_name"] for request in promoted["requests"] if request["model_name"]}
    assert shared == {"lyon-c2"}
    rest = told("train", *state)
    assert "0 jobs" in says(rest, "SubmitTraining") or "nothing" in says(rest, "SubmitTraining")
    assert rest["runs"][-1]["state"] == "done"
    changed = told("train", *state, "--simulate-circuit-changes", "1")
    assert says(changed, "RegisterModels", 0).startswith("1 ")


def test_promotion_can_be_left_out(fleet: Path) -> None:
    found = told("train", "--fleet", str(fleet), "--skip-promotion")
    stages = [record["stage"] for record in found["runs"][-1]["stages"]]
    assert stages == list(STAGES[:-1])


def test_one_model_goes_through_every_gate(fleet: Path) -> None:
    found = told("promote", "LYON/C1", "--fleet", str(fleet))
    gates = {request["gate"] for request in found["requests"]}
    assert gates == {"registry-promotion", "test-deployment", "prod-deployment"}
    assert [one["state"] for one in found["deployments"]] == ["done", "done"]
    (prod,) = [request for request in found["requests"] if request["gate"] == "prod-deployment"]
    assert len({decision["by"] for decision in prod["decisions"]}) == 2


def test_gates_that_name_people_and_groups_have_somebody_who_stands_in(fleet: Path) -> None:
    settings = fleet / "fleetcast.yaml"
    text = settings.read_text()
    before = "  registry-promotion: {approvers: ['*'], minimum: 1, own_request: allowed}"
    assert before in text
    strict = "  registry-promotion: {approvers: [ada, grace], groups: [leads], sequence: [leads], minimum: 2}"
    settings.write_text(text.replace(before, strict))
    found = told("train", "--fleet", str(fleet))
    assert found["runs"][-1]["state"] == "done"
    for request in found["requests"]:
        assert "leads-1" in [decision["by"] for decision in request["decisions"]]


def test_nothing_of_the_fleet_is_touched(fleet: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FLEETCAST_DATABASE_URL", "postgresql://nobody@nowhere.invalid/none")
    before = {path: path.stat().st_mtime_ns for path in fleet.rglob("*")}
    assert dummy("train", "--fleet", str(fleet)).code == 0
    assert {path: path.stat().st_mtime_ns for path in fleet.rglob("*")} == before


@pytest.mark.parametrize("content", [b"", b"no zip", b"PK\x05\x06" + bytes(18)])
def test_a_state_that_is_something_else_is_refused_and_stays(
    fleet: Path, tmp_path: Path, content: bytes
) -> None:
    state = tmp_path / "state"
    state.write_bytes(content)
    said = dummy("train", "--fleet", str(fleet), "--state", str(state))
    assert (said.code, said.err.count("error:")) == (1, 1)
    assert "--state" in said.err
    assert state.read_bytes() == content


def test_a_torn_state_is_refused(fleet: Path, tmp_path: Path) -> None:
    state = tmp_path / "state"
    assert dummy("train", "--fleet", str(fleet), "--state", str(state)).code == 0
    whole = state.read_bytes()
    state.write_bytes(whole[: len(whole) // 2])
    said = dummy("train", "--fleet", str(fleet), "--state", str(state))
    assert (said.code, said.err.count("error:")) == (1, 1)
    state.write_bytes(whole)
    assert zipfile.is_zipfile(state)
    assert state.stat().st_mode & 0o077 == 0, "it holds the key that the dummy signs with"


def test_more_changes_than_circuits_are_refused(fleet: Path) -> None:
    said = dummy("train", "--fleet", str(fleet), "--simulate-circuit-changes", "4")
    assert said.code == 1
    assert "the fleet has 3" in said.err
