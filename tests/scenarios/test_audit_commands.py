"""What an auditor types."""

from __future__ import annotations

import json
from pathlib import Path

from tests.scenarios.repository import ON_SQLITE, Repository
from tests.servers.s3 import S3Server
from tests.users import AsUser


@ON_SQLITE
def test_entries_are_picked_by_who_what_about_and_when(promoted: Repository) -> None:
    def listed(*words: str) -> list[str]:
        said = promoted.type("audit", "list", "--last", "1000", "--format", "json", *words)
        assert said.code == 0, said.err
        return [entry["action"] for entry in said.json]

    everything = listed()
    assert listed("--action", "model") == [action for action in everything if action.startswith("model.")]
    assert listed("--action", "model.crowned") == ["model.crowned"] * 2
    assert listed("--request", "1") == ["request.opened", "request.approved"]
    assert listed("--by", "nobody") == []
    assert listed("--until", "2020-01-01") == []
    assert listed("--since", "2020-01-01") == everything


@ON_SQLITE
def test_pages_of_entries_go_back_to_the_first(promoted: Repository) -> None:
    told = promoted.type("audit", "list", "--last", "1000", "--format", "json").json
    seen: list[int] = []
    before: list[str] = []
    while True:
        page = promoted.type("audit", "list", "--last", "7", "--format", "json", *before).json
        if not page:
            break
        seen = [entry["entry"] for entry in page] + seen
        before = ["--before", str(page[0]["entry"])]
    assert seen == [entry["entry"] for entry in told]


@ON_SQLITE
def test_an_export_is_the_whole_log_line_by_line(promoted: Repository, tmp_path: Path) -> None:
    said = promoted.type("audit", "export", "--out", str(tmp_path / "log.jsonl"))
    assert said.code == 0, said.err
    lines = [json.loads(line) for line in (tmp_path / "log.jsonl").read_text().splitlines()]
    assert lines == promoted.type("audit", "list", "--last", "1000", "--format", "json").json
    assert [line["previous_digest"] for line in lines[1:]] == [line["digest"] for line in lines[:-1]]


@ON_SQLITE
def test_a_report_says_who_could_who_did_and_what_was_refused(trained: Repository, as_user: AsUser) -> None:
    as_user("ada")
    assert (
        trained.type("people", "add", "grace", "--role", "approver", "--system-user", "4711@plant-7").code
        == 0
    )
    assert trained.type("people", "add", "li", "--role", "viewer").code == 0
    assert trained.type("approve", "2", "-m", "looked at the weakest sensor").code == 0
    assert trained.type("approve", "2").code == 1
    report = trained.type("audit", "report", "--format", "json")
    assert report.code == 0, report.err
    second = report.json[1]
    assert (second["request_id"], second["state"], second["override"]) == (2, "approved", False)
    assert second["could_approve"] == ["ada", "grace"]
    (decision,) = second["decisions"]
    assert (decision["by"], decision["standing"], decision["proof"]["means"]) == (
        "ada",
        "asserted",
        "system-user",
    )
    assert len(second["refused_attempts"]) == 1
    assert second["says_otherwise"] is None
    text = trained.type("audit", "report").out
    assert "could     ada, grace" in text
    assert "looked at the weakest sensor" in text
    assert "refused   ada" in text


@ON_SQLITE
def test_what_verifying_found_is_there_for_programs(promoted: Repository) -> None:
    whole = promoted.type("audit", "verify", "--format", "json")
    assert (whole.code, whole.json["unbroken"], whole.json["distrusted_rows"]) == (0, True, [])
    promoted.change("UPDATE champions SET version = 7")
    amiss = promoted.type("audit", "verify", "--format", "json")
    assert amiss.code == 1
    assert [row["in_row"] for row in amiss.json["distrusted_rows"]] == ["7", "7"]


@ON_SQLITE
def test_checkpoints_in_an_object_store_find_an_older_copy_and_say_what_they_assume(
    declared: Repository, s3: S3Server
) -> None:
    place = f"s3://{s3.new_bucket()}/fleet"
    settings = declared.folder / "fleetcast.yaml"
    settings.write_text(f"{settings.read_text()}\nsigning: {{checkpoints: '{place}'}}\n")
    assert declared.type("people", "add", "grace").code == 0
    verified = declared.type("audit", "verify")
    assert verified.code == 0
    said = " ".join(verified.out.split())
    assert f"independent if whoever owns the database can only add objects to {place}" in said
    database = declared.state / "control.db"
    older = database.read_bytes()
    assert declared.type("people", "add", "linus").code == 0
    for kept in declared.state.glob("control.db*"):
        kept.unlink()
    database.write_bytes(older)
    for words in (("audit", "verify"), ("people", "list")):
        lost = declared.type(*words)
        assert lost.code != 0
        assert "of the audit log, which was written here" in lost.err
