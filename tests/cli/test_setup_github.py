"""`fleetcast setup github`, as it is typed, against a server that is as strict as the service where that is known."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from fleetcast.app.people import TOKEN_VARIABLE
from fleetcast.cli.main import run
from fleetcast.ports.clock import SystemClock
from tests.cli.github_fleets import write_fleet
from tests.devops_server.organisation import made_id
from tests.github_server.repository import Repository
from tests.github_server.server import TOKEN, GitHubServer, github_server

Output = pytest.CaptureFixture[str]

ENVIRONMENTS = {"registry-promotion", "test-deployment", "prod-deployment", "rollback", "dummy"}
PROD = "deployment environment prod-deployment"


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
    """A fleet whose workflows and secrets are in GitHub, and nothing else."""
    write_fleet(tmp_path, server)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("GITHUB_TOKEN", TOKEN)
    return tmp_path


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> list[timedelta]:
    """The pauses that were asked for, and not made."""
    paused: list[timedelta] = []
    monkeypatch.setattr(SystemClock, "sleep", lambda _self, length: paused.append(length))
    return paused


def setup(*words: str) -> int:
    return run(["setup", "github", *words])


def as_json(capsys: Output, *words: str, code: int = 0) -> Any:
    assert setup(*words, "--format", "json") == code
    return json.loads(capsys.readouterr().out)


def changes(plan: Any) -> dict[str, list[tuple[str, str | None, str]]]:
    return {
        f"{step['action']} {step['kind']} {step['name']}": [
            (one["field"], one["before"], one["after"]) for one in step["changes"]
        ]
        for step in plan["steps"]
        if step["action"] != "leave"
    }


def rule(repository: Repository, environment: str, kind: str) -> Any:
    rules = repository.environments[environment]["protection_rules"]
    return next((one for one in rules if one["type"] == kind), None)


def branches(repository: Repository, environment: str) -> set[str]:
    return {one["name"] for one in repository.policies[environment]}


def rules(repository: Repository, branch: str) -> dict[str, Any]:
    return {one["type"]: one.get("parameters") for one in repository.ruleset(f"fleetcast {branch}")["rules"]}


@pytest.fixture
def installed(fleet: Path, server: GitHubServer, capsys: Output) -> Path:
    assert setup("--apply", "--yes") == 0
    capsys.readouterr()
    server.exchanges.clear()
    return fleet


@pytest.mark.usefixtures("fleet")
def test_a_fresh_repository_gets_everything(repository: Repository, capsys: Output) -> None:
    assert setup("--apply", "--yes") == 0
    said = capsys.readouterr().out
    assert f"+ {PROD}: done" in said
    assert "nothing to do: " in said
    assert set(repository.environments) == ENVIRONMENTS
    assert {one["name"] for one in repository.rulesets.values()} == {
        "fleetcast develop",
        "fleetcast main",
        "fleetcast release/*",
    }
    assert repository.variables[""] == {
        "AZURE_SUBSCRIPTION_ID": made_id("subscription"),
        "AZURE_TENANT_ID": made_id("tenant"),
        **{f"{name.upper()}_CLIENT_ID": made_id(name) for name in ("dev", "test", "prod", "rollback")},
        "FLEET_BATCH_SIZE": "50",
        "FLEET_LONGEST_WAIT": "3h",
        "FLEET_MAX_PARALLEL": "4",
        "FLEET_REGISTRY": "fleet-registry",
        "FLEET_SITE": "north",
    }
    assert repository.variables["test-deployment"] == {"FLEET_ENVIRONMENT": "test"}
    assert repository.variables["rollback"] == {}


@pytest.mark.usefixtures("installed")
def test_environments_ask_whom_the_settings_name_and_take_the_branch_that_leads_there(
    repository: Repository,
) -> None:
    asked = rule(repository, "prod-deployment", "required_reviewers")
    assert asked["prevent_self_review"] is True
    assert [(one["type"], one["reviewer"]["id"]) for one in asked["reviewers"]] == [
        ("Team", 11),
        ("User", 1),
        ("User", 2),
    ]
    assert repository.environments["prod-deployment"]["can_admins_bypass"] is False
    assert rule(repository, "prod-deployment", "wait_timer")["wait_timer"] == 10
    assert rule(repository, "test-deployment", "required_reviewers")["prevent_self_review"] is False
    assert rule(repository, "test-deployment", "wait_timer") is None
    assert rule(repository, "rollback", "required_reviewers") is None
    assert branches(repository, "registry-promotion") == {"develop"}
    assert branches(repository, "test-deployment") == {"release/*"}
    assert branches(repository, "prod-deployment") == {"main"}
    assert branches(repository, "rollback") == {"develop", "release/*", "main"}
    assert repository.environments["dummy"]["deployment_branch_policy"] is None


@pytest.mark.usefixtures("installed")
def test_nobody_merges_alone_or_past_the_validation(repository: Repository) -> None:
    for branch in ("develop", "main", "release/*"):
        held = repository.ruleset(f"fleetcast {branch}")
        assert held["conditions"] == {"ref_name": {"include": [f"refs/heads/{branch}"], "exclude": []}}
        assert (held["enforcement"], held["bypass_actors"]) == ("active", [])
        asked = rules(repository, branch)
        assert set(asked) == {"pull_request", "required_status_checks", "non_fast_forward", "deletion"}
        assert asked["pull_request"]["required_approving_review_count"] == 1
        assert asked["pull_request"]["require_last_push_approval"] is True
        assert asked["pull_request"]["dismiss_stale_reviews_on_push"] is True
        checks = [one["context"] for one in asked["required_status_checks"]["required_status_checks"]]
        assert checks == ["plan", "validate"]


@pytest.mark.usefixtures("installed")
def test_again_there_is_nothing_to_do_and_nothing_is_written(server: GitHubServer, capsys: Output) -> None:
    assert setup("--apply", "--yes") == 0
    said = capsys.readouterr().out
    assert said.startswith("nothing to do: ")
    assert "next:" not in said
    assert server.writes == []


@pytest.mark.usefixtures("fleet")
def test_a_plan_changes_nothing_and_says_who_may_apply_it(server: GitHubServer, capsys: Output) -> None:
    assert setup() == 0
    said = capsys.readouterr().out
    assert f"+ {PROD}\n      reviewers: acme/leads, ada, ben\n      own run: forbidden\n" in said
    assert "+ variables of prod-deployment\n      FLEET_ENVIRONMENT: prod\n" in said
    assert "branch rules: Administration: write on the repository" in said
    assert said.endswith("next: fleetcast setup github --apply\n")
    assert server.writes == []


@pytest.mark.usefixtures("installed")
def test_drift_of_environments_is_found_field_by_field_and_repaired(
    server: GitHubServer, repository: Repository, capsys: Output
) -> None:
    cleo = {"type": "User", "id": 3}
    repository.put_environment("prod-deployment", {"reviewers": [cleo], "can_admins_bypass": False})
    repository.policies["rollback"].append({"id": 900, "name": "*", "type": "branch"})
    repository.policies["rollback"].append({"id": 901, "name": "v*", "type": "tag"})
    del repository.environments["test-deployment"]
    found = changes(as_json(capsys, "--plan"))
    assert found.pop(f"change {PROD}") == [
        ("reviewers", "cleo", "acme/leads, ada, ben"),
        ("own run", "allowed", "forbidden"),
        ("branches", None, "main"),
        ("wait", None, "10min"),
    ]
    assert found.pop("change deployment environment rollback") == [
        ("branches", "*, develop, main, release/*, tag v*", "develop, main, release/*")
    ]
    assert set(found) == {
        "create deployment environment test-deployment",
        "create variables of test-deployment",
    }
    assert server.writes == []
    # What the deleted environment held is gone with it.
    repository.variables["test-deployment"] = {}
    assert setup("--apply", "--yes") == 0
    assert branches(repository, "rollback") == {"develop", "release/*", "main"}
    assert branches(repository, "prod-deployment") == {"main"}
    capsys.readouterr()
    assert as_json(capsys, "--verify")["nothing_to_do"] is True


@pytest.mark.usefixtures("installed")
def test_administrators_that_may_bypass_and_protected_branches_are_closed_again(
    repository: Repository, capsys: Output
) -> None:
    repository.environments["prod-deployment"]["can_admins_bypass"] = True
    repository.environments["test-deployment"]["deployment_branch_policy"] = {
        "protected_branches": True,
        "custom_branch_policies": False,
    }
    repository.policies["test-deployment"] = []
    repository.policies["registry-promotion"] = []
    assert changes(as_json(capsys, "--plan")) == {
        f"change {PROD}": [("administrators bypass", "yes", "no")],
        "change deployment environment test-deployment": [
            ("branches", "whichever are protected", "release/*")
        ],
        "change deployment environment registry-promotion": [("branches", "nobody", "develop")],
    }
    assert setup("--apply", "--yes") == 0
    assert repository.environments["prod-deployment"]["can_admins_bypass"] is False
    assert branches(repository, "registry-promotion") == {"develop"}


@pytest.mark.usefixtures("installed")
def test_what_is_not_declared_of_an_environment_stays(repository: Repository, capsys: Output) -> None:
    repository.put_environment(
        "rollback",
        {
            "wait_timer": 5,
            "reviewers": [{"type": "Team", "id": 12}],
            "prevent_self_review": True,
            "deployment_branch_policy": None,
            "can_admins_bypass": False,
        },
    )
    repository.put_environment(
        "test-deployment",
        {
            "wait_timer": 7,
            "reviewers": [{"type": "User", "id": 1}],
            "deployment_branch_policy": {"protected_branches": False, "custom_branch_policies": True},
            "can_admins_bypass": False,
        },
    )
    assert set(changes(as_json(capsys, "--plan"))) == {
        "change deployment environment rollback",
        "change deployment environment test-deployment",
    }
    assert setup("--apply", "--yes") == 0
    assert rule(repository, "rollback", "wait_timer")["wait_timer"] == 5
    kept = rule(repository, "rollback", "required_reviewers")
    assert (kept["prevent_self_review"], [one["reviewer"]["id"] for one in kept["reviewers"]]) == (True, [12])
    assert repository.environments["rollback"]["can_admins_bypass"] is False
    assert rule(repository, "test-deployment", "wait_timer")["wait_timer"] == 7


@pytest.mark.usefixtures("installed")
def test_drift_of_variables_is_repaired_and_those_of_others_stay(
    server: GitHubServer, repository: Repository, capsys: Output
) -> None:
    repository.variables[""] |= {"FLEET_SITE": "south", "THEIRS": "kept"}
    del repository.variables[""]["PROD_CLIENT_ID"]
    repository.variables["test-deployment"] = {"FLEET_ENVIRONMENT": "prod"}
    assert changes(as_json(capsys, "--plan")) == {
        "change variables of the repository": [
            ("FLEET_SITE", "south", "north"),
            ("PROD_CLIENT_ID", None, made_id("prod")),
        ],
        "change variables of test-deployment": [("FLEET_ENVIRONMENT", "prod", "test")],
    }
    assert setup("--apply", "--yes") == 0
    assert len(server.writes) == 3
    assert repository.variables[""]["FLEET_SITE"] == "north"
    assert repository.variables[""]["THEIRS"] == "kept"
    assert repository.variables["test-deployment"] == {"FLEET_ENVIRONMENT": "test"}


@pytest.mark.usefixtures("installed")
def test_rules_that_were_weakened_are_put_right_and_what_they_ask_besides_stays(
    repository: Repository, capsys: Output
) -> None:
    main = repository.ruleset("fleetcast main")
    main["enforcement"] = "evaluate"
    main["bypass_actors"] = [{"actor_id": 5, "actor_type": "RepositoryRole", "bypass_mode": "always"}]
    main["conditions"]["ref_name"]["exclude"] = ["refs/heads/main"]
    asked = rules(repository, "main")
    asked["pull_request"] |= {
        "required_approving_review_count": 0,
        "dismiss_stale_reviews_on_push": False,
        "require_last_push_approval": False,
        "require_code_owner_review": True,
        "allowed_merge_methods": ["squash"],
    }
    asked["required_status_checks"]["required_status_checks"] = [{"context": "theirs"}]
    asked["required_status_checks"]["strict_required_status_checks_policy"] = True
    main["rules"] = [
        {"type": "required_linear_history"},
        {"type": "pull_request", "parameters": asked["pull_request"]},
        {"type": "required_status_checks", "parameters": asked["required_status_checks"]},
    ]
    assert changes(as_json(capsys, "--plan")) == {
        "change branch rules fleetcast main": [
            ("branches", "not refs/heads/main, refs/heads/main", "refs/heads/main"),
            ("enforced", "no", "yes"),
            ("approvals", "0", "1"),
            ("own push counts", "yes", "no"),
            ("reset by a push", "no", "yes"),
            ("force pushes", "allowed", "forbidden"),
            ("deletion", "allowed", "forbidden"),
            ("check plan", None, "by anybody"),
            ("check validate", None, "by anybody"),
            ("who may bypass", "RepositoryRole 5 always", "nobody"),
        ]
    }
    assert setup("--apply", "--yes") == 0
    now = rules(repository, "main")
    assert "required_linear_history" in now
    assert now["pull_request"]["require_code_owner_review"] is True
    assert now["pull_request"]["allowed_merge_methods"] == ["squash"]
    assert now["required_status_checks"] == {
        "required_status_checks": [{"context": "plan"}, {"context": "validate"}, {"context": "theirs"}],
        "strict_required_status_checks_policy": True,
    }
    assert repository.ruleset("fleetcast main")["bypass_actors"] == []
    capsys.readouterr()
    assert as_json(capsys, "--verify")["nothing_to_do"] is True


@pytest.mark.usefixtures("installed")
def test_rules_that_are_gone_are_made_again(repository: Repository) -> None:
    repository.rulesets.clear()
    assert setup("--apply", "--yes") == 0
    assert len(repository.rulesets) == 3


@pytest.mark.usefixtures("installed")
def test_a_workflow_that_is_switched_off_is_switched_on_and_one_that_is_missing_is_said(
    repository: Repository, capsys: Output
) -> None:
    repository.workflows[".github/workflows/rollback-pipeline.yml"]["state"] = "disabled_manually"
    repository.workflows[".github/workflows/training-pipeline.yml"]["state"] = "deleted"
    assert changes(as_json(capsys, "--plan")) == {
        "change workflow .github/workflows/rollback-pipeline.yml": [("enabled", "no", "yes")],
        "blocked workflow .github/workflows/training-pipeline.yml": [],
    }
    assert setup("--apply", "--yes") == 1
    said = capsys.readouterr().out
    assert "! workflow .github/workflows/training-pipeline.yml\n      GitHub does not know it" in said
    assert repository.workflows[".github/workflows/rollback-pipeline.yml"]["state"] == "active"


@pytest.mark.usefixtures("installed")
def test_secrets_are_looked_for_by_name_and_people_enter_them(
    server: GitHubServer, repository: Repository, capsys: Output
) -> None:
    repository.secrets.remove("FLEETCAST_SIGNING_KEY")
    assert setup("--verify") == 1
    said = capsys.readouterr().out
    host = server.url.removeprefix("http://")
    assert (
        "! secret FLEETCAST_SIGNING_KEY\n"
        "      it is not there; people enter its value, and it is never read\n"
        f"      gh secret set FLEETCAST_SIGNING_KEY --repo {host}/acme/fleet\n"
    ) in said
    assert "secret: Secrets: write" in said
    repository.lent += ["FLEETCAST_SIGNING_KEY", "LENT_TO_MANY"]
    assert as_json(capsys, "--verify")["not_ours"] == []
    repository.owner_type = "User"
    assert setup("--verify") == 1


@pytest.mark.usefixtures("installed")
def test_things_of_others_are_shown_and_stay(
    server: GitHubServer, repository: Repository, capsys: Output
) -> None:
    repository.put_environment("payroll-prod", {})
    repository.add_ruleset({**rulesets_body(repository), "name": "main"})
    repository.knows([".github/workflows/payroll.yml"])
    repository.secrets.append("PAYROLL_KEY")
    plan = as_json(capsys, "--plan")
    assert plan["nothing_to_do"] is True
    assert {(one["kind"], one["name"]) for one in plan["not_ours"]} == {
        ("deployment environment", "payroll-prod"),
        ("branch rules", "main"),
        ("workflow", ".github/workflows/payroll.yml"),
        ("secret", "PAYROLL_KEY"),
    }
    assert setup("--apply", "--yes") == 0
    assert server.writes == []


def rulesets_body(repository: Repository) -> dict[str, Any]:
    held = repository.ruleset("fleetcast main")
    return {
        key: held[key] for key in ("name", "target", "enforcement", "bypass_actors", "conditions", "rules")
    }


@pytest.mark.usefixtures("installed")
def test_verifying_changes_nothing_and_says_what_identities_must_trust(
    server: GitHubServer, repository: Repository, capsys: Output
) -> None:
    assert setup("--verify") == 0
    said = capsys.readouterr().out
    assert "nothing to do" in said
    issuer = f"{server.url}/_services/token"
    assert (
        f"  PROD_CLIENT_ID: identity {made_id('prod')}\n"
        f"        issuer {issuer}\n"
        "        subject repo:acme/fleet:environment:prod-deployment\n"
        "        audience api://AzureADTokenExchange\n"
    ) in said
    assert (
        "claims matching expression claims['sub'] matches 'repo:acme/fleet:ref:refs/heads/release/*'" in said
    )
    trusts = as_json(capsys, "--verify")["trusts"]
    assert {(one["connection"], one["subject"].removeprefix("repo:acme/fleet:")) for one in trusts} == {
        ("DEV_CLIENT_ID", "pull_request"),
        ("DEV_CLIENT_ID", "environment:registry-promotion"),
        ("DEV_CLIENT_ID", "ref:refs/heads/develop"),
        ("TEST_CLIENT_ID", "environment:test-deployment"),
        ("TEST_CLIENT_ID", "ref:refs/heads/release/*"),
        ("PROD_CLIENT_ID", "environment:prod-deployment"),
        ("PROD_CLIENT_ID", "ref:refs/heads/main"),
        ("ROLLBACK_CLIENT_ID", "environment:rollback"),
    }
    repository.variables[""]["FLEET_SITE"] = "other"
    assert setup("--verify") == 1
    said = capsys.readouterr().out
    assert "~ variables of the repository\n      FLEET_SITE: other → north\n" in said
    assert "whoever applies it needs, at least:" in said
    assert server.writes == []


@pytest.mark.usefixtures("installed")
def test_who_may_bypass_is_not_taken_for_nobody_where_it_is_not_shown(
    repository: Repository, capsys: Output
) -> None:
    repository.writer = repository.bypass_is_shown = False
    found = changes(as_json(capsys, "--verify", code=1))
    assert found["change branch rules fleetcast main"] == [
        ("who may bypass", "(not shown to this token)", "nobody")
    ]
    assert found[f"change {PROD}"] == [("administrators bypass", "(not shown to this token)", "no")]


@pytest.mark.usefixtures("fleet")
def test_more_than_one_page_is_read(server: GitHubServer, repository: Repository, capsys: Output) -> None:
    repository.variables[""] = {f"A{number:02}": "x" for number in range(35)}
    for number in range(35):
        repository.put_environment(f"theirs-{number:02}", {})
    assert setup("--apply", "--yes") == 0
    server.exchanges.clear()
    capsys.readouterr()
    assert as_json(capsys, "--verify")["nothing_to_do"] is True
    pages = [one.query["page"] for one in server.exchanges if one.path.endswith("/fleet/environments")]
    assert pages == ["1", "2"]


@pytest.mark.usefixtures("fleet")
def test_somebody_who_is_not_in_github_is_said_where_it_happens(
    fleet: Path, repository: Repository, capsys: Output
) -> None:
    file = fleet / "fleetcast.yaml"
    file.write_text(file.read_text().replace("acme/QA", "ghost"))
    assert setup("--apply", "--yes") == 1
    said = capsys.readouterr().err
    assert "error: stopped at deployment environment test-deployment, with " in said
    assert "GitHub has no /users/ghost" in said
    assert "then run the same command again: it does the rest" in said
    assert "test-deployment" not in repository.environments


@pytest.mark.usefixtures("fleet", "impatient")
def test_a_fault_in_the_middle_says_where_and_the_same_command_does_the_rest(
    server: GitHubServer, repository: Repository, capsys: Output
) -> None:
    server.fail("POST", "/rulesets", 403, message="Upgrade to GitHub Pro or make this repository public")
    assert setup("--apply", "--yes") == 1
    said = capsys.readouterr().err
    assert "error: stopped at branch rules fleetcast develop, with 9 of 12 steps done" in said
    assert "GitHub refuses POST /repos/acme/fleet/rulesets (403): Upgrade to GitHub Pro" in said
    assert setup("--apply", "--yes") == 0
    assert len(repository.rulesets) == 3


@pytest.mark.parametrize("path", ["/deployment-branch-policies", "/variables", "/rulesets"])
@pytest.mark.usefixtures("fleet", "impatient")
def test_what_was_made_though_the_answer_was_lost_is_found_by_the_next_run(
    server: GitHubServer, capsys: Output, path: str
) -> None:
    server.fail("POST", path, 502, is_done=True)
    assert setup("--apply", "--yes") == 1
    assert "with 502" in capsys.readouterr().err
    assert setup("--apply", "--yes") == 0
    capsys.readouterr()
    found = as_json(capsys, "--verify")
    assert (found["nothing_to_do"], found["not_ours"]) == (True, [])


@pytest.mark.usefixtures("fleet")
def test_busy_answers_are_waited_for_as_long_as_github_says(
    server: GitHubServer, impatient: list[timedelta]
) -> None:
    server.fail("GET", "/variables", 429, times=2, headers={"Retry-After": "7"})
    server.fail(
        "PUT", "/environments/dummy", 403, headers={"Retry-After": "9"}, message="secondary rate limit"
    )
    assert setup("--apply", "--yes") == 0
    assert impatient == [timedelta(seconds=7), timedelta(seconds=7), timedelta(seconds=9)]


@pytest.mark.usefixtures("fleet", "impatient")
def test_a_token_that_has_asked_too_often_is_told_when_to_come_again(
    server: GitHubServer, capsys: Output
) -> None:
    spent = {"x-ratelimit-remaining": "0", "x-ratelimit-reset": "1764590400"}
    server.fail("GET", "/environments", 403, headers=spent)
    assert setup() == 1
    said = capsys.readouterr().err
    assert "GitHub takes no more requests of this identity for now" in said
    assert "try again after 2025-12-01T12:00:00Z" in said


@pytest.mark.usefixtures("fleet")
def test_a_wrong_token_and_no_token_are_said_and_never_shown(
    server: GitHubServer, monkeypatch: pytest.MonkeyPatch, capsys: Output
) -> None:
    monkeypatch.setenv("GITHUB_TOKEN", "somebody-elses-token")
    assert setup() == 1
    said = capsys.readouterr()
    assert "GitHub refuses GET /repos/acme/fleet (401): Bad credentials" in said.err
    assert "check the token" in said.err
    assert "somebody-elses-token" not in said.out + said.err
    monkeypatch.delenv("GITHUB_TOKEN")
    server.exchanges.clear()
    assert setup() == 1
    assert "no token for GitHub" in capsys.readouterr().err
    assert server.exchanges == []


@pytest.mark.usefixtures("fleet")
def test_a_repository_that_may_not_be_seen_and_a_right_that_is_missing_are_said(
    server: GitHubServer, capsys: Output
) -> None:
    server.fail("GET", "/repos/acme/fleet", 404, message="Not Found")
    assert setup() == 1
    said = capsys.readouterr().err
    assert "GitHub has no /repos/acme/fleet" in said
    assert "whether it may be seen" in said
    server.fail("GET", "/actions/secrets", 403, message="Resource not accessible by personal access token")
    assert setup() == 1
    said = capsys.readouterr().err
    assert "(403): Resource not accessible by personal access token" in said
    assert "give the identity that runs this the right to" in said


@pytest.mark.usefixtures("fleet")
def test_what_github_does_not_take_is_said_in_its_words(server: GitHubServer, capsys: Output) -> None:
    server.fail("PUT", "/environments/dummy", 422, message="Validation Failed")
    assert setup("--apply", "--yes") == 1
    said = capsys.readouterr().err
    assert "GitHub does not take PUT /repos/acme/fleet/environments/dummy (422): Validation Failed" in said
    assert "check the names and values that it is told" in said


@pytest.mark.usefixtures("fleet")
def test_no_secret_is_in_what_is_said_or_sent(server: GitHubServer, capsys: Output) -> None:
    assert setup("--apply", "--yes") == 0
    assert setup("--verify", "--format", "json") == 0
    said = capsys.readouterr()
    sent = json.dumps([[one.path, dict(one.query), one.request] for one in server.exchanges])
    assert TOKEN not in said.out + said.err + sent


@pytest.mark.usefixtures("fleet")
def test_only_an_admin_may(server: GitHubServer, monkeypatch: pytest.MonkeyPatch, capsys: Output) -> None:
    assert run(["people", "add", "robot", "--service", "--role", "operator"]) == 0
    capsys.readouterr()
    assert run(["token", "create", "tries", "--of", "robot", "--format", "json"]) == 0
    secret = json.loads(capsys.readouterr().out)["secret"]
    monkeypatch.setenv(TOKEN_VARIABLE, secret)
    assert setup("--apply", "--yes") == 1
    assert "manage" in capsys.readouterr().err
    assert server.exchanges == []


@pytest.mark.usefixtures("fleet")
def test_it_asks_before_it_applies(
    server: GitHubServer, monkeypatch: pytest.MonkeyPatch, capsys: Output
) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO("n\n"))
    assert setup("--apply") == 1
    assert "Apply this?" in capsys.readouterr().out
    assert server.writes == []


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("github:", "other_things:", "unknown key"),
        ("    test-deployment: [acme/QA]\n", "", "`github.reviewers` names nobody"),
        (f"  tenant: {made_id('tenant')}\n", "", "what they hold: AZURE_TENANT_ID"),
        ("FLEET_SITE: north", "GITHUB_SITE: north", "is no name of a variable"),
        (f", rollback: {made_id('rollback')}", "", "write github.identities.rollback"),
        ("FLEET_SITE: north", "FLEETCAST_SIGNING_KEY: abc", "workflows read it as a secret"),
    ],
)
def test_settings_that_lack_something_are_named_before_anything_is_asked(
    fleet: Path, server: GitHubServer, capsys: Output, old: str, new: str, says: str
) -> None:
    file = fleet / "fleetcast.yaml"
    assert old in file.read_text()
    file.write_text(file.read_text().replace(old, new, 1))
    assert setup() == 1
    assert says in capsys.readouterr().err
    assert server.exchanges == []


def test_a_fleet_without_workflows_is_told_how_to_get_some(fleet: Path, capsys: Output) -> None:
    for path in (fleet / ".github/workflows").glob("*.yml"):
        path.unlink()
    assert setup() == 1
    assert "fleetcast update-template --ci github" in capsys.readouterr().err
