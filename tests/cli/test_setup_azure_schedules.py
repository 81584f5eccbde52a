"""`schedules:` of a fleet in Azure, as `fleetcast setup azure` makes, changes and disables them."""

from __future__ import annotations

import json
import time
from base64 import b64encode
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from fleetcast.cli.main import run
from fleetcast.domain.settings import DATABASE_URL_VARIABLE, SIGNING_KEY_VARIABLE
from tests.azure_emulator.emulator import AzureEmulator
from tests.azure_emulator.faults import Fault
from tests.azure_fleet import write_azure_fleet
from tests.azure_oracle.published import as_published
from tests.cli.azure_fleets import held, rewrite
from tests.contracts.azure import SETUP, led_to
from tests.platforms.test_commit_of_a_fleet import git
from tests.scenarios.repository import Repository
from tests.servers.postgres import PostgresServer
from tests.signing import private

Output = pytest.CaptureFixture[str]
DEV = "fleetcast-dev"
KEY = b64encode(private(1).private_bytes_raw()).decode()
VAULT = {"fleet-secrets": {"signingKey": KEY}}
NIGHTLY = 'schedules: {train: "0 2 * * *", plan: "30 1 * * 1-5"}\n'

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
    monkeypatch.setenv(DATABASE_URL_VARIABLE, postgres.url(postgres.new_database()))
    monkeypatch.setenv(SIGNING_KEY_VARIABLE, "keyvault:fleet-secrets/signingKey")
    made = write_azure_fleet(tmp_path / "fleet", emulator, circuits=1, days=40)
    with (made.folder / "fleetcast.yaml").open("a") as file:
        file.write(NIGHTLY)
    git(made.folder, "init", "-q")
    commit(made)
    monkeypatch.chdir(made.folder)
    return made


def commit(fleet: Repository) -> None:
    git(fleet.folder, "add", "-A")
    git(fleet.folder, "commit", "-q", "-m", "the fleet as it is")


def write(fleet: Repository, old: str, new: str) -> None:
    fleet.edit("fleetcast.yaml", old, new)
    commit(fleet)


def planned(capsys: Output, *words: str, code: int = 0) -> dict[str, dict[str, Any]]:
    """What differs of schedules, by action and name."""
    capsys.readouterr()
    assert run(["setup", "azure", *words, "--format", "json"]) == code
    steps = json.loads(capsys.readouterr().out)["steps"]
    return {f"{one['action']} {one['name']}": one for one in steps if one["kind"] == "schedule"}


def changed(step: dict[str, Any]) -> dict[str, tuple[str | None, str]]:
    return {one["field"]: (one["before"], one["after"]) for one in step["changes"]}


def apply() -> int:
    return run(["setup", "azure", "--apply", "--yes"])


@pytest.mark.usefixtures("fleet")
def test_schedules_are_made_once_and_again_there_is_nothing_to_do(
    emulator: AzureEmulator, capsys: Output
) -> None:
    assert set(planned(capsys)) == {f"create plan in {DEV}", f"create train in {DEV}"}
    assert apply() == 0
    train = held(emulator, "schedules", "fleetcast-train")["properties"]
    assert (train["trigger"]["expression"], train["trigger"]["timeZone"]) == ("0 2 * * *", "UTC")
    assert train["isEnabled"] is True
    assert KEY not in json.dumps(train)
    before = len([one for one in emulator.exchanges() if one.method == "PUT"])
    assert planned(capsys, "--verify").keys() == {f"leave plan in {DEV}", f"leave train in {DEV}"}
    assert apply() == 0
    assert len([one for one in emulator.exchanges() if one.method == "PUT"]) == before


def test_another_time_and_another_commit_are_changes_and_a_setting_that_went_away_disables(
    fleet: Repository, emulator: AzureEmulator, capsys: Output
) -> None:
    assert apply() == 0
    before = git(fleet.folder, "rev-parse", "HEAD").strip()
    write(fleet, NIGHTLY.strip(), 'schedules: {train: "0 4 * * *"}')
    after = git(fleet.folder, "rev-parse", "HEAD").strip()
    found = planned(capsys)
    assert changed(found[f"change train in {DEV}"]) == {
        "cron": ("0 2 * * *", "0 4 * * *"),
        "commit": (before, after),
    }
    assert changed(found[f"change plan in {DEV}"]) == {"enabled": ("yes", "no")}
    assert apply() == 0
    assert held(emulator, "schedules", "fleetcast-plan")["properties"]["isEnabled"] is False
    assert (
        held(emulator, "schedules", "fleetcast-train")["properties"]["trigger"]["expression"] == "0 4 * * *"
    )
    assert planned(capsys, "--verify").keys() == {f"leave plan in {DEV}", f"leave train in {DEV}"}
    write(fleet, 'schedules: {train: "0 4 * * *"}', NIGHTLY.strip())
    assert changed(planned(capsys)[f"change plan in {DEV}"])["enabled"] == ("no", "yes")
    assert apply() == 0
    assert held(emulator, "schedules", "fleetcast-plan")["properties"]["isEnabled"] is True


@pytest.mark.usefixtures("fleet")
def test_what_somebody_changed_by_hand_is_put_right(emulator: AzureEmulator, capsys: Output) -> None:
    assert apply() == 0
    body = held(emulator, "schedules", "fleetcast-train")
    body["properties"]["isEnabled"] = False
    body["properties"]["trigger"]["expression"] = "7 * * * *"
    body["properties"]["trigger"]["timeZone"] = "Romance Standard Time"
    rewrite(emulator, body)
    assert changed(planned(capsys)[f"change train in {DEV}"]) == {
        "cron": ("7 * * * *", "0 2 * * *"),
        "time zone": ("Romance Standard Time", "UTC"),
        "enabled": ("no", "yes"),
    }
    assert apply() == 0
    assert f"leave train in {DEV}" in planned(capsys)


@pytest.mark.usefixtures("fleet")
def test_a_schedule_of_that_name_that_is_not_ours_is_never_touched(
    emulator: AzureEmulator, capsys: Output
) -> None:
    assert apply() == 0
    body = held(emulator, "schedules", "fleetcast-train")
    body["properties"]["tags"] = {"team": "another"}
    rewrite(emulator, body)
    assert "did not make" in planned(capsys)[f"blocked train in {DEV}"]["why"]
    assert apply() == 1
    assert held(emulator, "schedules", "fleetcast-train")["properties"] == body["properties"]


def test_what_no_commit_holds_is_not_scheduled(
    fleet: Repository, emulator: AzureEmulator, capsys: Output
) -> None:
    fleet.edit("fleetcast.yaml", 'train: "0 2', 'train: "0 5')
    assert "none holds the fleet as it is" in planned(capsys)[f"blocked train in {DEV}"]["why"]
    assert apply() == 1
    assert not [one for one in emulator.exchanges() if one.method == "PUT" and "/schedules/" in one.path]


@pytest.mark.usefixtures("fleet")
def test_a_schedule_whose_making_was_cut_off_is_made_by_the_same_command(
    emulator: AzureEmulator, capsys: Output
) -> None:
    emulator.faults.add(Fault("refuse", "PUT", "/schedules/", status=403, code="AuthorizationFailed"))
    assert apply() == 1
    assert f"stopped at schedule plan in {DEV}" in capsys.readouterr().err
    assert apply() == 0
    components = [one for one in emulator.exchanges() if one.method == "PUT" and "/components/" in one.path]
    assert len(components) == 1


@pytest.mark.usefixtures("fleet")
def test_what_a_schedule_starts_runs_our_command_on_the_cluster(
    emulator: AzureEmulator, capsys: Output
) -> None:
    assert apply() == 0
    job = emulator.trigger(DEV, "fleetcast-plan")
    assert ended(emulator, job) == "Completed"
    said = (emulator.state / "jobs" / f"{job}.command" / "std_log.txt").read_text()
    assert "Plan: 1 to train" in said
    assert KEY not in said


def ended(emulator: AzureEmulator, job: str) -> str:
    """How a job ended; the emulator runs it as a process."""
    until = time.monotonic() + 120
    while True:
        status = str(held(emulator, "jobs", job)["properties"]["status"])
        if status in {"Completed", "Failed", "Canceled"} or time.monotonic() > until:
            return status
        time.sleep(0.1)
