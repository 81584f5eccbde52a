"""People and tokens, through the command line: who acts is what the machine or a token proves, and nothing else."""

from __future__ import annotations

import os
import re
from datetime import timedelta
from pathlib import Path

import pytest

from fleetcast.app import open_books
from fleetcast.app.people import TOKEN_VARIABLE
from fleetcast.domain.audit import Actor, Standing
from tests.scenarios.repository import ON_SQLITE, Repository, write_fleet
from tests.users import AsUser

HOST = os.uname().nodename


def acting(fleet: Repository) -> dict[str, object]:
    found: dict[str, object] = fleet.type("whoami", "--format", "json").json
    return found


@pytest.mark.parametrize("variable", ["LOGNAME", "USER", "LNAME", "USERNAME", "SUDO_USER"])
def test_an_asserted_name_is_not_taken_from_the_environment(
    declared: Repository, monkeypatch: pytest.MonkeyPatch, variable: str
) -> None:
    before = acting(declared)
    monkeypatch.setenv(variable, "other")
    assert acting(declared) == before
    assert before["name"] != "other"
    assert before["proof"] == {"means": "system-user", "detail": f"uid {os.getuid()} on {HOST}"}


@ON_SQLITE
def test_an_asserted_name_is_not_taken_from_the_environment_of_a_real_process(
    trained: Repository, monkeypatch: pytest.MonkeyPatch
) -> None:
    for variable in ("LOGNAME", "USER"):
        monkeypatch.setenv(variable, "boss")
    (first, *_) = trained.requests()
    assert trained.spawn("approve", str(first["request_id"])).code == 0
    entry = trained.type("audit", "list", "--format", "json").json[-1]
    assert entry["action"] == "request.approved"
    assert entry["by"] != "boss"
    assert entry["proof"] == {"means": "system-user", "detail": f"uid {os.getuid()} on {HOST}"}


def test_asserted_people_never_satisfy_a_policy_that_asks_for_verified_ones(
    trained: Repository, as_user: AsUser
) -> None:
    plain = "registry-promotion: {approvers: ['*'], minimum: 1, own_request: allowed}"
    trained.edit("fleetcast.yaml", plain, plain.replace("}", ", verified: true}"))
    (first, *_) = trained.requests()
    as_user("grace")
    refused = trained.type("approve", str(first["request_id"]))
    assert refused.code == 1
    assert "grace is not signed in" in refused.err


def test_the_first_person_puts_themselves_on_record_and_others_need_a_role(
    trained: Repository, as_user: AsUser
) -> None:
    as_user("ada")
    number = as_user("grace")
    as_user("ada")
    added = trained.type("people", "add", "grace", "--system-user", f"{number}@{HOST}")
    assert added.code == 0
    assert [
        person["name"] for person in trained.type("people", "list", "--format", "json").json["people"]
    ] == [
        "ada",
        "grace",
    ]
    as_user("grace")
    refused = trained.type("plan")
    assert refused.code == 1
    assert "grace may not view here" in refused.err
    as_user("edsger")
    assert "edsger" in trained.type("plan").err
    assert "not on record" in trained.type("plan").err
    as_user("ada")
    assert trained.type("people", "grant", "grace", "approver").code == 0
    as_user("grace")
    (first, *_) = trained.requests()
    assert trained.type("approve", str(first["request_id"])).code == 0
    assert trained.type("train").code == 1
    assert trained.type("people", "grant", "grace", "admin").code == 1


def test_the_last_admin_stays(declared: Repository, as_user: AsUser) -> None:
    as_user("ada")
    assert declared.type("people", "add", "grace").code == 0
    for words in (("disable", "ada"), ("revoke", "ada", "admin")):
        refused = declared.type("people", *words)
        assert refused.code == 1
        assert "nobody could give roles any more" in refused.err


def test_a_token_acts_for_its_person_until_it_ends(
    trained: Repository, monkeypatch: pytest.MonkeyPatch, as_user: AsUser
) -> None:
    as_user("ada")
    assert trained.type("people", "add", "ci", "--service", "--role", "engineer").code == 0
    made = trained.type("token", "create", "nightly runs", "--of", "ci", "--expires", "30d")
    assert made.code == 0
    text = made.out.strip()
    assert re.fullmatch(r"fct_1_[A-Za-z0-9_-]{43}", text)
    as_user("somebody.else")
    monkeypatch.setenv(TOKEN_VARIABLE, text)
    assert acting(trained)["name"] == "ci"
    assert trained.type("train").code == 3
    assert trained.type("approve", "1").code == 1
    monkeypatch.delenv(TOKEN_VARIABLE)
    as_user("ada")
    assert trained.type("token", "revoke", "1").code == 0
    monkeypatch.setenv(TOKEN_VARIABLE, text)
    refused = trained.type("plan")
    assert (refused.code, "this token is not valid" in refused.err) == (1, True)


@pytest.mark.parametrize("text", ["", "fct_1_" + "A" * 43, "nonsense", "fct_0_" + "A" * 43, "fct_9_é"])
def test_a_wrong_token_is_refused_and_never_shown(
    declared: Repository, monkeypatch: pytest.MonkeyPatch, text: str
) -> None:
    monkeypatch.setenv(TOKEN_VARIABLE, text)
    refused = declared.type("plan")
    assert refused.code == 1
    assert "this token is not valid" in refused.err
    assert not text or text not in refused.err + refused.out


@ON_SQLITE
def test_no_secret_is_stored_or_logged(trained: Repository, as_user: AsUser) -> None:
    as_user("ada")
    assert trained.type("people", "add", "ci", "--service", "--role", "viewer").code == 0
    secret = trained.type("token", "create", "a test", "--of", "ci").out.strip().split("_", 2)[2].encode()
    assert len(secret) == 43
    files = [path for path in Path(trained.folder).rglob("*") if path.is_file()]
    assert not [path for path in files if secret in path.read_bytes()]


def test_the_state_is_its_owner_s_alone_whatever_the_umask(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        fleet = write_fleet(tmp_path / "fleet", None)
        assert fleet.type("plan").code == 0
    finally:
        os.umask(before)
    assert fleet.state.stat().st_mode & 0o777 == 0o700
    kept = [path for path in fleet.state.iterdir() if path.name.startswith("control.db")]
    assert kept
    assert {path.stat().st_mode & 0o777 for path in kept} == {0o600}


def test_nobody_makes_a_token_for_another_human(declared: Repository, as_user: AsUser) -> None:
    as_user("ada")
    assert declared.type("people", "add", "grace").code == 0
    refused = declared.type("token", "create", "to be her", "--of", "grace")
    assert refused.code == 1
    assert "could act as them" in refused.err


def test_a_vote_is_handed_on_and_glass_is_broken_by_those_who_may(
    declared: Repository, as_user: AsUser
) -> None:
    plain = "registry-promotion: {approvers: ['*'], minimum: 1, own_request: allowed}"
    declared.edit(
        "fleetcast.yaml", plain, "registry-promotion: {approvers: [grace], minimum: 1, break_glass: allowed}"
    )
    users = {name: f"{as_user(name)}@{HOST}" for name in ("grace", "edsger")}
    as_user("ada")
    assert declared.type("train").code == 3
    for name, user in users.items():
        added = declared.type("people", "add", name, "--system-user", user, "--role", "approver")
        assert added.code == 0, added.err
    first, second, *_ = [str(request["request_id"]) for request in declared.requests()]
    as_user("edsger")
    assert "edsger is not an approver" in declared.type("approve", first).err
    as_user("grace")
    handed = declared.type("approvals", "hand-on", first, "--to", "edsger", "--comment", "on leave")
    assert (handed.code, "pending" in handed.out) == (0, True)
    assert "gave their vote" in declared.type("approve", first).err
    as_user("edsger")
    assert "approved" in declared.type("approve", first).out
    shown = declared.type("approvals", "show", first).out
    assert "vote of grace handed on to edsger" in shown
    assert "approved by edsger" in shown
    refused = declared.type("approvals", "break-glass", second, "--reason", "the line stands still")
    assert "edsger may not break-glass" in refused.err
    as_user("ada")
    assert declared.type("people", "grant", "edsger", "glass-breaker").code == 0
    as_user("edsger")
    broken = declared.type("approvals", "break-glass", second, "--reason", "the line stands still")
    assert "broken-glass" in broken.out
    assert "who broke glass" in declared.type("approvals", "show", second).out
    assert declared.audited()[-1] == "request.broken-glass"


def test_who_lost_the_right_after_approving_counts_no_longer(trained: Repository, as_user: AsUser) -> None:
    grace = f"{as_user('grace')}@{HOST}"
    as_user("ada")
    assert trained.type("people", "add", "grace", "--system-user", grace, "--role", "approver").code == 0
    as_user("grace")
    assert trained.type("approve", *(str(request["request_id"]) for request in trained.requests())).code == 0
    assert trained.requests() == []
    as_user("ada")
    assert trained.type("people", "disable", "grace").code == 0
    assert trained.type("train").code == 3
    assert trained.shared() == []
    assert len(trained.requests()) == 3
    assert trained.audited().count("request.reopened") == 3
    assert trained.type("people", "enable", "grace").code == 0
    assert trained.type("train").code == 0
    assert len(trained.shared()) == 2


@ON_SQLITE
def test_a_token_that_was_typed_into_the_table_says_nothing(
    trained: Repository, as_user: AsUser, monkeypatch: pytest.MonkeyPatch
) -> None:
    as_user("ada")
    assert trained.type("people", "add", "ci", "--service", "--role", "viewer").code == 0
    text = trained.type("token", "create", "a test", "--of", "ci", "--only", "view").out.strip()
    ((content,),) = trained.rows("SELECT content FROM tokens")
    monkeypatch.setenv(TOKEN_VARIABLE, text)
    assert trained.type("plan").code == 0
    for typed in (
        content.replace('"only":["view"]', '"only":[]'),
        content.replace('"standing":"asserted"', '"standing":"verified"'),
        re.sub(r'"purpose":"[^"]*"', '"purpose":"another"', content).replace('"person":"p-', '"person":"q-'),
    ):
        assert typed != content
        trained.change(f"UPDATE tokens SET content = '{typed}'")
        assert trained.type("plan").code == 1, typed
    trained.change(f"UPDATE tokens SET content = '{content}'")
    assert trained.type("plan").code == 0


@ON_SQLITE
def test_a_token_that_was_revoked_stays_so_whatever_its_row_says(
    trained: Repository, as_user: AsUser, monkeypatch: pytest.MonkeyPatch
) -> None:
    as_user("ada")
    assert trained.type("people", "add", "ci", "--service", "--role", "viewer").code == 0
    text = trained.type("token", "create", "a test", "--of", "ci").out.strip()
    ((content,),) = trained.rows("SELECT content FROM tokens")
    assert trained.type("token", "revoke", "1").code == 0
    trained.change(f"UPDATE tokens SET content = '{content}'")
    monkeypatch.setenv(TOKEN_VARIABLE, text)
    assert trained.type("plan").code == 1


@ON_SQLITE
def test_only_an_admin_who_has_signed_in_makes_links_for_others(
    trained: Repository, as_user: AsUser, monkeypatch: pytest.MonkeyPatch
) -> None:
    as_user("ada")
    assert trained.type("people", "add", "grace", "--role", "approver").code == 0
    refused = trained.type("people", "invite", "grace")
    assert (refused.code, "is not signed in" in refused.err) == (1, True)
    books = open_books(trained.folder)
    ada = books.control.people.directory().named("ada")
    assert ada is not None
    signed_in = open_books(trained.folder, actor=Actor("ada", Standing.VERIFIED, person=ada.id))
    monkeypatch.setenv(TOKEN_VARIABLE, signed_in.tokens.create("invitations", timedelta(days=1)).text)
    made = trained.type("people", "invite", "grace", "--url", "https://fleet.example.org/")
    assert made.code == 0, made.err
    assert made.out.startswith("https://fleet.example.org/link?secret=fcl_1_")
