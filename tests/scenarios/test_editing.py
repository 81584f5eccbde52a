"""Editing what is declared: a bump, new circuits, retired ones, and plans that were made before."""

from __future__ import annotations

from tests.scenarios.repository import CIRCUIT01, CIRCUIT02, CIRCUITS, Repository

UP_TO_DATE = {CIRCUIT01: "up to date", CIRCUIT02: "up to date"}


def text(fleet: Repository) -> str:
    return (fleet.folder / CIRCUITS).read_text()


def test_one_bump_trains_one_circuit(promoted: Repository) -> None:
    bumped = promoted.type("bump", "--cutoff", "2025-02-28", "--circuits", CIRCUIT02)
    assert bumped.code == 0, bumped.err
    assert "1 circuit changed in config/circuits.yaml" in bumped.out
    assert promoted.actions() == {CIRCUIT01: "up to date", CIRCUIT02: "train"}
    assert "cutoff_date 2025-02-25 → 2025-02-28" in promoted.plan()[CIRCUIT02][1]
    again = promoted.type("bump", "--cutoff", "2025-02-28", "--circuits", CIRCUIT02)
    assert (again.code, "nothing to change" in again.out) == (0, True)


def test_a_plan_saved_before_a_bump_is_refused(promoted: Repository) -> None:
    saved = promoted.folder / "plan.json"
    promoted.type("bump", "--retrain", "--circuits", CIRCUIT01)
    assert promoted.type("plan", "--out", str(saved)).code == 0
    promoted.type("bump", "--retrain", "--circuits", CIRCUIT02)
    jobs = promoted.jobs()
    refused = promoted.type("train", "--plan", str(saved))
    assert refused.code == 1
    assert "the fleet has moved on since the plan was saved" in refused.err
    assert promoted.jobs() == jobs


def test_a_dry_run_shows_the_change_and_writes_nothing(promoted: Repository) -> None:
    before = text(promoted)
    shown = promoted.type("bump", "--delta-version", "0", "--cutoff", "2025-02-20", "--dry-run")
    assert "-  cutoff_date: 2025-02-25" in shown.out
    assert "+  cutoff_date: 2025-02-20" in shown.out
    as_json = promoted.type("bump", "--cutoff", "2025-02-20", "--dry-run", "--format", "json").json
    assert [f"{row['plant_id']}/{row['circuit_id']}" for row in as_json["circuits"]] == [CIRCUIT01, CIRCUIT02]
    assert as_json["written"] is False
    assert text(promoted) == before


def test_a_reverted_bump_reuses_what_was_trained(promoted: Repository) -> None:
    before = text(promoted)
    promoted.type("bump", "--retrain", "--circuits", "PLANT001/*")
    assert set(promoted.actions().values()) == {"train"}
    (promoted.folder / CIRCUITS).write_text(before)
    assert promoted.actions() == UP_TO_DATE


def test_circuits_come_and_go(promoted: Repository) -> None:
    new = "PLANT001/CIRCUIT03"
    added = promoted.type("circuits", "add", new, "--set", "owner=cooling", "--set", "tags={line: B}")
    assert added.code == 0, added.err
    listed = promoted.type("circuits", "list", "--tag", "line=B", "--format", "json").json
    assert [row["circuit_id"] for row in listed] == ["CIRCUIT03"]
    assert promoted.actions()[new] == "train"
    retired = promoted.type("circuits", "retire", new)
    assert retired.code == 0
    assert promoted.actions() == UP_TO_DATE


def test_retiring_several_asks_first(promoted: Repository) -> None:
    before = text(promoted)
    promoted.type("circuits", "add", "PLANT002/C1")
    refused = promoted.type("circuits", "retire", "PLANT001/*")
    assert refused.code == 1
    assert "CIRCUIT01" in text(promoted)
    assert promoted.type("circuits", "retire", "PLANT001/*", "--yes").code == 0
    assert set(promoted.actions().values()) == {"train", "removed"}
    assert text(promoted) != before


def test_a_circuit_shows_where_each_value_comes_from(promoted: Repository) -> None:
    promoted.declare("CIRCUIT02", "revision: 4")
    shown = promoted.type("circuits", "show", CIRCUIT02, "--format", "json").json["settings"]
    lines = text(promoted).splitlines()
    assert "CIRCUIT02: {revision: 4}" in lines[shown["revision"]["line"] - 1]
    assert shown["revision"]["value"] == "4"
    assert "training_days" in lines[shown["training_window"]["line"] - 1]
    assert "features" in lines[shown["features"]["line"] - 1]
    assert shown["cleaning.fill_steps"]["file"] is None
    people = promoted.type("circuits", "show", CIRCUIT02).out
    assert "[temperature, vibration]" in people


def test_a_pattern_that_matches_nothing_is_refused(promoted: Repository) -> None:
    for words in (["bump", "--retrain", "--circuits", "X/*"], ["circuits", "retire", "X/*"]):
        said = promoted.type(*words)
        assert said.code == 1
        assert "no circuit matches 'X/*'" in said.err


def test_a_bump_of_nothing_or_to_nonsense_is_refused(promoted: Repository) -> None:
    before = text(promoted)
    assert "nothing to change was given" in promoted.type("bump").err
    for words in (["--cutoff", "soon"], ["--component-version", "one"], ["--cutoff", "2999-01-01"]):
        said = promoted.type("bump", *words)
        assert said.code == 1, words
        assert "Traceback" not in said.err
    assert text(promoted) == before


def test_formatting_is_checked_and_done(promoted: Repository) -> None:
    assert promoted.type("fmt", "--check").code in (0, 1)
    promoted.type("fmt")
    assert promoted.type("fmt", "--check").code == 0
    promoted.declare("CIRCUIT02", "  owner:   'x'  ")
    checked = promoted.type("fmt", "--check", "--diff")
    assert checked.code == 1
    assert "+      CIRCUIT02: {owner: x}" in checked.out
    assert promoted.type("fmt").code == 0
    assert promoted.actions() == UP_TO_DATE
