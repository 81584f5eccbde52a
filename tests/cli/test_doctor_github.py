"""`fleetcast doctor` of a fleet in GitHub: each finding where it holds, and where it does not."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from fleetcast.cli.main import run
from tests.cli.github_fleets import write_fleet
from tests.github_server.repository import Repository
from tests.github_server.server import TOKEN, GitHubServer, github_server

Output = pytest.CaptureFixture[str]
HOLDS, FAILS, NOT_CHECKED, ACCEPTED = "holds", "does not hold", "not checked", "accepted"
SOMEBODY = "GitHub asks somebody else before production"
TWO = "GitHub asks two people before production"
RULES = "branch rules stand"
BOUND = "the token cannot bypass branch rules"


@pytest.fixture
def server() -> Iterator[GitHubServer]:
    with github_server() as running:
        yield running
        assert running.misunderstood == []


@pytest.fixture
def repository(server: GitHubServer) -> Repository:
    return server.repository


@pytest.fixture
def fleet(tmp_path: Path, server: GitHubServer, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A fleet that is set up in GitHub, with somebody on record."""
    begin(tmp_path, server, monkeypatch)
    install()
    server.exchanges.clear()
    return tmp_path


def begin(directory: Path, server: GitHubServer, monkeypatch: pytest.MonkeyPatch) -> None:
    write_fleet(directory, server)
    monkeypatch.chdir(directory)
    monkeypatch.setenv("GITHUB_TOKEN", TOKEN)


def install() -> None:
    assert run(["setup", "github", "--apply", "--yes"]) == 0
    assert run(["people", "add", "robot", "--service", "--role", "engineer"]) == 0


def found(capsys: Output, code: int = 1) -> dict[str, dict[str, Any]]:
    capsys.readouterr()
    assert run(["doctor", "--format", "json"]) == code
    return {one["name"]: one for one in json.loads(capsys.readouterr().out)["findings"]}


def verdicts(every: dict[str, dict[str, Any]]) -> list[str]:
    return [every[name]["verdict"] for name in (SOMEBODY, RULES, BOUND, TWO)]


def edit(fleet: Path, old: str, new: str) -> None:
    file = fleet / "fleetcast.yaml"
    assert old in file.read_text()
    file.write_text(file.read_text().replace(old, new, 1))


@pytest.mark.usefixtures("fleet")
def test_what_github_cannot_enforce_never_holds_where_all_else_does(
    server: GitHubServer, capsys: Output
) -> None:
    every = found(capsys)
    assert verdicts(every) == [HOLDS, HOLDS, HOLDS, FAILS]
    assert [name for name, one in every.items() if one["verdict"] != HOLDS] == [TWO]
    assert every[SOMEBODY]["seen"] == "one of acme/leads, ada, ben, not who started it"
    assert "fleetcast's own gate asks for 2 people, and stays shut" in every[TWO]["seen"]
    assert "accepts: [one-reviewer]" in every[TWO]["fix"]
    assert server.writes == []


def test_what_cannot_be_enforced_is_accepted_in_writing(fleet: Path, capsys: Output) -> None:
    edit(fleet, "github:\n", "github:\n  accepts: [one-reviewer]\n")
    assert verdicts(found(capsys, code=0)) == [HOLDS, HOLDS, HOLDS, ACCEPTED]
    assert run(["doctor"]) == 0
    said = capsys.readouterr().out
    assert f"! {TWO}: accepted: any one reviewer opens an environment of GitHub; " in said
    assert "0 not, 0 not checked, 1 accepted\n" in said


def test_nothing_is_accepted_where_fleetcast_asks_for_one_person_too(
    tmp_path: Path, server: GitHubServer, monkeypatch: pytest.MonkeyPatch, capsys: Output
) -> None:
    begin(tmp_path, server, monkeypatch)
    weak = "gates:\n  prod-deployment: {approvers: ['*'], minimum: 1}\n"
    edit(tmp_path, "github:\n", f"{weak}github:\n  accepts: [one-reviewer]\n")
    install()
    every = found(capsys)
    assert every[TWO]["verdict"] == FAILS
    assert "fleetcast's own gate asks for 1 person too" in every[TWO]["seen"]


def test_whoever_started_a_run_must_not_open_production(fleet: Path, capsys: Output) -> None:
    edit(fleet, "github:\n", "gates:\n  prod-deployment: {own_request: allowed}\ngithub:\n")
    assert run(["setup", "github", "--apply", "--yes"]) == 0
    every = found(capsys)
    assert every[SOMEBODY]["verdict"] == FAILS
    assert "who started it may open it" in every[SOMEBODY]["seen"]
    assert "own_request: forbidden" in every[SOMEBODY]["fix"]


@pytest.mark.parametrize("how", ["nobody", "bypass", "own run", "gone"])
@pytest.mark.usefixtures("fleet")
def test_an_environment_that_somebody_opened_does_not_hold(
    repository: Repository, capsys: Output, how: str
) -> None:
    environment = repository.environments["prod-deployment"]
    asked = next(one for one in environment["protection_rules"] if one["type"] == "required_reviewers")
    if how == "nobody":
        environment["protection_rules"].remove(asked)
    elif how == "bypass":
        environment["can_admins_bypass"] = True
    elif how == "own run":
        asked["prevent_self_review"] = False
    else:
        del repository.environments["prod-deployment"]
    every = found(capsys)
    assert verdicts(every) == [FAILS, HOLDS, HOLDS, FAILS]
    assert every[SOMEBODY]["fix"] == "fleetcast setup github --apply"


@pytest.mark.usefixtures("fleet")
def test_rules_that_somebody_weakened_or_may_bypass_do_not_hold(
    repository: Repository, capsys: Output
) -> None:
    repository.ruleset("fleetcast main")["enforcement"] = "disabled"
    repository.bypass = "pull_requests_only"
    every = found(capsys)
    assert verdicts(every) == [HOLDS, FAILS, FAILS, FAILS]
    assert every[RULES]["seen"] == "missing or changed: fleetcast main"
    assert "fleetcast develop (pull_requests_only)" in every[BOUND]["seen"]
    repository.rulesets.clear()
    assert verdicts(found(capsys)) == [HOLDS, FAILS, NOT_CHECKED, FAILS]


@pytest.mark.usefixtures("fleet")
def test_what_is_not_shown_to_the_token_is_not_checked(repository: Repository, capsys: Output) -> None:
    repository.writer = repository.bypass_is_shown = False
    every = found(capsys)
    assert verdicts(every) == [NOT_CHECKED, NOT_CHECKED, HOLDS, FAILS]
    assert "not shown to this token" in every[RULES]["seen"]


@pytest.mark.usefixtures("fleet")
def test_a_token_of_a_run_needs_to_see_no_variables_and_no_secrets(
    server: GitHubServer, capsys: Output
) -> None:
    found(capsys)
    asked = {one.path.removeprefix("/repos/acme/fleet") for one in server.exchanges}
    assert not any("variables" in path or "secrets" in path for path in asked)


@pytest.mark.usefixtures("fleet")
def test_github_that_cannot_be_read_is_one_finding_of_many(
    monkeypatch: pytest.MonkeyPatch, capsys: Output
) -> None:
    monkeypatch.setenv("GITHUB_TOKEN", "somebody-elses-token")
    every = found(capsys)
    assert every["GitHub can be read"]["verdict"] == FAILS
    assert every[TWO]["verdict"] == FAILS
    assert SOMEBODY not in every
    assert "somebody-elses-token" not in json.dumps(every)


def test_a_fleet_without_the_workflow_of_production_is_told(fleet: Path, capsys: Output) -> None:
    (fleet / ".github/workflows/prod-deployment-pipeline.yml").unlink()
    every = found(capsys)
    assert every[SOMEBODY]["verdict"] == FAILS
    assert every[SOMEBODY]["fix"] == "fleetcast update-template --ci github"
