"""`fleetcast score --on-platform`: a batch endpoint is invoked once for each day, and the same command looks at it."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from fleetcast.cli.main import run
from fleetcast.domain.settings import DATABASE_URL_VARIABLE, SIGNING_KEY_VARIABLE
from tests.azure_emulator.emulator import AzureEmulator
from tests.azure_emulator.exchange import Exchange
from tests.azure_emulator.faults import Fault
from tests.azure_fleet import write_azure_fleet
from tests.azure_oracle.published import as_published
from tests.cli.azure_fleets import held, rewrite
from tests.cli.test_setup_azure_schedules import KEY, VAULT
from tests.contracts.azure import SETUP, led_to
from tests.platforms.test_commit_of_a_fleet import git
from tests.scenarios.repository import Repository
from tests.servers.postgres import PostgresServer

Output = pytest.CaptureFixture[str]
DAY = "2025-02-20"
FIRST, SECOND = "fleetcast-score-prod-20250220-1", "fleetcast-score-prod-20250220-2"

pytestmark = [
    # The SDK's own libraries will take away what it uses.
    pytest.mark.filterwarnings("ignore::marshmallow.warnings.RemovedInMarshmallow4Warning"),
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
]


@pytest.fixture
def emulator(tmp_path: Path) -> Iterator[AzureEmulator]:
    with AzureEmulator(tmp_path / "azure", replace(SETUP, secrets=VAULT)) as running, led_to(running):
        yield running
        as_published(running.exchanges())


@pytest.fixture
def fleet(
    tmp_path: Path, emulator: AzureEmulator, postgres: PostgresServer, monkeypatch: pytest.MonkeyPatch
) -> Repository:
    """Nothing is deployed: a run finds nothing to publish, and says so."""
    monkeypatch.setenv(DATABASE_URL_VARIABLE, postgres.url(postgres.new_database()))
    monkeypatch.setenv(SIGNING_KEY_VARIABLE, "keyvault:fleet-secrets/signingKey")
    made = write_azure_fleet(tmp_path / "fleet", emulator, circuits=1, days=40)
    git(made.folder, "init", "-q")
    git(made.folder, "add", "-A")
    git(made.folder, "commit", "-qm", "A fleet")
    monkeypatch.chdir(made.folder)
    return made


def score(capsys: Output, *words: str, code: int = 0) -> Any:
    capsys.readouterr()
    asked = ["score", "prod", "--date", DAY, "--on-platform", "--format", "json", *words]
    assert run(asked) == code, capsys.readouterr().err
    return json.loads(capsys.readouterr().out)


def submitted(emulator: AzureEmulator) -> list[str]:
    """The jobs that were asked for, by name."""
    bodies: list[Any] = [one.request for one in invoked(emulator) if one.status < 300]
    return [str(body["properties"]["name"]) for body in bodies]


def invoked(emulator: AzureEmulator) -> list[Exchange]:
    return [one for one in emulator.exchanges() if (one.method, one.path) == ("POST", "/jobs")]


def ended(emulator: AzureEmulator, job: str) -> str:
    until = time.monotonic() + 120
    while True:
        status = str(held(emulator, "jobs", job)["properties"]["status"])
        if status in {"Completed", "Failed", "Canceled"} or time.monotonic() > until:
            return status
        time.sleep(0.1)


@pytest.mark.usefixtures("fleet")
def test_a_day_is_scored_by_one_job_that_runs_our_own_command(
    emulator: AzureEmulator, capsys: Output
) -> None:
    begun = score(capsys)
    assert begun["run_name"] == FIRST
    assert begun["state"] in {"waits", "runs"}
    assert begun["page"].startswith("https://ml.azure.com/runs/")
    assert ended(emulator, FIRST) == "Completed"
    done = score(capsys)
    assert done["state"] == "done"
    assert f"nothing was published for prod on {DAY}" in "\n".join(done["log_end"])
    assert submitted(emulator) == [FIRST]
    said = (emulator.state / "jobs" / f"{FIRST}.command" / "std_log.txt").read_text()
    assert f"nothing was published for prod on {DAY}" in said
    assert KEY not in said + json.dumps(held(emulator, "jobs", FIRST))
    assert score(capsys, "--supersede")["run_name"] == SECOND
    assert ended(emulator, SECOND) == "Completed"
    assert held(emulator, "jobs", SECOND)["properties"]["inputs"]["issue"]["value"] == "another"


@pytest.mark.usefixtures("fleet")
def test_a_run_that_failed_gives_way_to_another_one(emulator: AzureEmulator, capsys: Output) -> None:
    score(capsys)
    ended(emulator, FIRST)
    body = held(emulator, "jobs", FIRST)
    body["properties"]["status"] = "Failed"
    rewrite(emulator, body)
    assert score(capsys)["run_name"] == SECOND
    assert submitted(emulator) == [FIRST, SECOND]


@pytest.mark.usefixtures("fleet")
def test_a_submission_whose_answer_was_lost_is_found(emulator: AzureEmulator, capsys: Output) -> None:
    emulator.faults.add(Fault("done_but_failed", "POST", "^/jobs$", code="InternalError", status=400))
    assert score(capsys)["run_name"] == FIRST
    assert score(capsys)["run_name"] == FIRST


def deployments(emulator: AzureEmulator) -> dict[str, str]:
    """The commit of each deployment of the only endpoint there is, by its name."""
    scope = emulator.scopes.workspace("fleetcast-dev")
    (endpoint,) = emulator.store.children(scope.key("batchEndpoints"))
    there = emulator.store.children(f"{endpoint.id}/deployments")
    tags: list[Any] = [one.body["tags"] for one in there]
    return {str(one.body["name"]): tag["fleetcast_commit"] for one, tag in zip(there, tags, strict=True)}


def default(emulator: AzureEmulator) -> str:
    scope = emulator.scopes.workspace("fleetcast-dev")
    (endpoint,) = emulator.store.children(scope.key("batchEndpoints"))
    properties: Any = endpoint.body["properties"]
    return str(properties["defaults"]["deploymentName"])


def test_a_commit_is_one_deployment_and_goes_when_nothing_runs_by_it(
    fleet: Repository, emulator: AzureEmulator, capsys: Output
) -> None:
    score(capsys)
    first = deployments(emulator)
    assert list(first) == [default(emulator)]
    assert ended(emulator, FIRST) == "Completed"
    score(capsys, "--supersede")
    assert deployments(emulator) == first
    changes = [one for one in emulator.exchanges() if one.method == "PUT" and "/batchEndpoints/" in one.path]
    assert len(changes) == 3, "the endpoint, its deployment, and the default"
    assert ended(emulator, SECOND) == "Completed"

    # A job that goes on keeps its deployment.
    body = held(emulator, "jobs", FIRST)
    body["properties"]["status"] = "Running"
    rewrite(emulator, body)
    git(fleet.folder, "commit", "-q", "--allow-empty", "-m", "Another")
    assert score(capsys, "--date", "2025-02-19")["run_name"] == "fleetcast-score-prod-20250219-1"
    both = deployments(emulator)
    assert set(first) < set(both)
    assert len(both) == 2
    assert default(emulator) not in first

    body["properties"]["status"] = "Completed"
    rewrite(emulator, body)
    assert score(capsys, "--date", "2025-02-18")["run_name"] == "fleetcast-score-prod-20250218-1"
    assert list(deployments(emulator)) == [default(emulator)]
    for day in ("20250218", "20250219"):
        assert ended(emulator, f"fleetcast-score-prod-{day}-1") == "Completed"


@pytest.mark.usefixtures("fleet")
def test_an_endpoint_that_somebody_else_made_is_left_alone(emulator: AzureEmulator, capsys: Output) -> None:
    score(capsys)
    ended(emulator, FIRST)
    scope = emulator.scopes.workspace("fleetcast-dev")
    (endpoint,) = emulator.store.children(scope.key("batchEndpoints"))
    emulator.store.write(endpoint.id, {**endpoint.body, "tags": {}})
    assert run(["score", "prod", "--date", DAY, "--on-platform", "--supersede"]) == 1
    assert "fleetcast did not make the batch endpoint" in capsys.readouterr().err
    assert submitted(emulator) == [FIRST]


@pytest.mark.usefixtures("fleet")
def test_an_endpoint_that_is_half_made_is_gone_on_with(emulator: AzureEmulator, capsys: Output) -> None:
    emulator.faults.add(
        Fault("fail_operation", "PUT", "/batchEndpoints/[^/]+/deployments/[^/]+$", code="Broken")
    )
    assert run(["score", "prod", "--date", DAY, "--on-platform"]) == 1
    assert "Broken" in capsys.readouterr().err
    assert submitted(emulator) == []
    assert score(capsys)["run_name"] == FIRST
    assert ended(emulator, FIRST) == "Completed"


def test_what_no_commit_holds_is_not_sent(fleet: Repository, emulator: AzureEmulator, capsys: Output) -> None:
    fleet.edit("fleetcast.yaml", "batch_size: 50 ", "batch_size: 20 ")
    assert run(["score", "prod", "--date", DAY, "--on-platform"]) == 1
    assert "none holds the fleet as it is" in capsys.readouterr().err
    assert submitted(emulator) == []


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("--date", "2999-01-01"), "has not come"),
        (("--circuits", "PLANT001/*"), "scores all circuits"),
        (("--export", "csv"), "writes no file here"),
    ],
)
@pytest.mark.usefixtures("fleet")
def test_what_a_platform_does_not_do_is_said(
    emulator: AzureEmulator, capsys: Output, words: tuple[str, ...], says: str
) -> None:
    assert run(["score", "prod", "--on-platform", *words]) == 1
    assert says in capsys.readouterr().err
    assert submitted(emulator) == []
