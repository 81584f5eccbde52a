"""Gates that bar who wrote the commit or made the version: known from git and from the audit log, or shut."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import pytest

from tests.scenarios.repository import ON_SQLITE, Repository
from tests.users import AsUser

HOST = os.uname().nodename
PLAIN = "registry-promotion: {approvers: ['*'], minimum: 1, own_request: allowed}"
ADA, GRACE, STRANGER = "Ada Byron <ada@example.org>", "Grace <grace@example.org>", "Sam <sam@example.org>"
pytestmark = ON_SQLITE


@pytest.fixture(autouse=True)
def _no_git_settings_of_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("GIT_CONFIG_GLOBAL", "GIT_CONFIG_SYSTEM"):
        monkeypatch.setenv(name, "/dev/null")


def commit(folder: Path, author: str, committer: str) -> None:
    name, mail = committer.rstrip(">").split(" <")
    given = {**os.environ, "GIT_COMMITTER_NAME": name, "GIT_COMMITTER_EMAIL": mail}
    for words in (["init", "-q"], ["add", "."], ["commit", "-q", "-m", "change", f"--author={author}"]):
        subprocess.run(["git", *words], cwd=folder, env=given, check=True)


def with_people(fleet: Repository, as_user: AsUser, rule: str) -> None:
    """A gate with a rule, and ada, grace and linus on record, each of whom may do what there is to do."""
    fleet.edit("fleetcast.yaml", PLAIN, PLAIN.replace("}", f", {rule}}}"))
    numbers = {name: as_user(name) for name in ("grace", "linus", "ada")}
    roles = ("--role", "approver", "--role", "engineer", "--role", "operator")
    for name in ("grace", "linus"):
        known = ("--system-user", f"{numbers[name]}@{HOST}", "--alias", f"{name}@example.org")
        assert fleet.type("people", "add", name, *known, *roles).code == 0
    directory = fleet.type("people", "list", "--format", "json").json
    assert "ada" in json.dumps(directory)


def approve(fleet: Repository, number: int) -> str:
    return fleet.type("approve", str(number)).err


def shown(fleet: Repository, number: int) -> str:
    """What a request says, as one line."""
    return " ".join(fleet.type("approvals", "show", str(number)).out.split())


def models(fleet: Repository) -> list[int]:
    return [int(one["request_id"]) for one in fleet.requests() if one["kind"] == "model"]


def test_whoever_wrote_the_commit_is_barred_under_any_spelling_and_another_opens_the_gate(
    declared: Repository, as_user: AsUser
) -> None:
    with_people(declared, as_user, "own_commit: forbidden")
    commit(declared.folder, "Gracie H <GRACE@Example.org>", "Linus <elsewhere@example.com>")
    assert declared.type("train").code == 3
    number = models(declared)[0]
    said = shown(declared, number)
    assert "wrote the commit: Gracie H <GRACE@Example.org>, Linus <elsewhere@example.com>" in said
    for name in ("grace", "linus"):
        as_user(name)
        assert f"{name} wrote the commit" in approve(declared, number)
    as_user("ada")
    declared.approve_all()
    assert declared.type("train").code == 0
    assert declared.type("audit", "verify").code == 0


def test_a_commit_by_nobody_on_record_opens_no_gate_until_they_are_known(
    declared: Repository, as_user: AsUser
) -> None:
    with_people(declared, as_user, "own_commit: forbidden")
    commit(declared.folder, STRANGER, GRACE)
    assert declared.type("train").code == 3
    declared.approve_all()
    assert declared.type("train").code == 3
    assert {request["state"] for request in declared.requests()} == {"pending"}
    assert declared.type("people", "add", "sam", "--alias", "sam@example.org").code == 0
    assert declared.type("train").code == 0


def test_what_was_not_committed_is_asked_again_once_it_is(declared: Repository, as_user: AsUser) -> None:
    with_people(declared, as_user, "own_commit: forbidden")
    assert declared.type("train").code == 3
    before = models(declared)
    said = shown(declared, before[0])
    assert "wrote the commit: nobody knows, and registry-promotion stays shut until that is known" in said
    declared.approve_all()
    assert declared.type("train").code == 3
    commit(declared.folder, GRACE, GRACE)
    assert declared.type("train").code == 3
    assert set(models(declared)).isdisjoint(before)
    declared.approve_all()
    assert declared.type("train").code == 0


def test_whoever_made_the_version_is_barred_and_another_opens_the_gate(
    declared: Repository, as_user: AsUser
) -> None:
    with_people(declared, as_user, "own_version: forbidden")
    as_user("grace")
    assert declared.type("train").code == 3
    as_user("linus")
    assert declared.type("train").code == 3
    number = models(declared)[0]
    assert "made the version: grace" in shown(declared, number)
    as_user("grace")
    assert "grace made the version" in approve(declared, number)
    as_user("linus")
    declared.approve_all()
    assert declared.type("train").code == 0


@pytest.mark.parametrize("held", [[], [{"name": "linus", "email": ""}]])
def test_a_row_that_names_another_writer_is_named_and_opens_nothing(
    declared: Repository, as_user: AsUser, held: list[dict[str, str]]
) -> None:
    with_people(declared, as_user, "own_commit: forbidden")
    commit(declared.folder, GRACE, GRACE)
    assert declared.type("train").code == 3
    number = models(declared)[0]
    ((content,),) = declared.rows(f"SELECT content FROM requests WHERE id = {number}")
    row = json.loads(content) | {"committed_by": held}
    declared.change(f"UPDATE requests SET content = '{json.dumps(row)}' WHERE id = {number}")
    as_user("grace")
    declared.type("approve", str(number))
    found = declared.type("audit", "verify")
    assert (found.code, "committed_by" in found.out + found.err) == (1, True)
    declared.type("train")
    assert not [one for one in declared.audited() if one == "model.shared"]
