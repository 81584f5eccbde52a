"""A release that is live is scored by Azure: trained, deployed to test, and its forecasts are in the table."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from fleetcast.domain.settings import DATABASE_URL_VARIABLE, SIGNING_KEY_VARIABLE
from tests.azure_emulator.emulator import AzureEmulator
from tests.azure_fleet import write_azure_fleet
from tests.azure_oracle.published import as_published
from tests.cli.test_score_on_platform import ended
from tests.cli.test_setup_azure_schedules import VAULT
from tests.contracts.azure import SETUP, led_to
from tests.platforms.test_commit_of_a_fleet import git
from tests.scenarios.repository import Repository
from tests.servers.postgres import PostgresServer
from tests.servers.scoring import quick

DAY = "2025-02-20"
RUN = "fleetcast-score-test-20250220-1"

pytestmark = [
    pytest.mark.slow,
    # The SDK's own libraries will take away what it uses.
    pytest.mark.filterwarnings("ignore::marshmallow.warnings.RemovedInMarshmallow4Warning"),
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
]


@pytest.fixture
def emulator(tmp_path: Path) -> Iterator[AzureEmulator]:
    with (
        AzureEmulator(tmp_path / "azure", replace(SETUP, secrets=VAULT, containers=True)) as running,
        led_to(running),
    ):
        yield running
        as_published(running.exchanges())


@pytest.fixture
def fleet(
    tmp_path: Path, emulator: AzureEmulator, postgres: PostgresServer, monkeypatch: pytest.MonkeyPatch
) -> Repository:
    """On a branch that leads to test."""
    monkeypatch.setenv(DATABASE_URL_VARIABLE, postgres.url(postgres.new_database()))
    monkeypatch.setenv(SIGNING_KEY_VARIABLE, "keyvault:fleet-secrets/signingKey")
    made = write_azure_fleet(tmp_path / "fleet", emulator, circuits=2, days=60)
    quick(made)
    git(made.folder, "init", "-q", "-b", "release/1")
    git(made.folder, "add", "-A")
    git(made.folder, "commit", "-qm", "A fleet")
    return made


def deploy(fleet: Repository, environment: str) -> None:
    asked = fleet.type("deploy", environment)
    assert asked.code == 3, asked.out + asked.err
    fleet.approve_all()
    done = fleet.type("deploy", environment, "--wait")
    assert done.code == 0, done.out + done.err


def test_a_live_release_is_scored_by_the_platform(fleet: Repository, emulator: AzureEmulator) -> None:
    fleet.promote()
    deploy(fleet, "test")

    begun = fleet.type("score", "test", "--date", DAY, "--on-platform")
    assert begun.code == 0, begun.out + begun.err
    assert ended(emulator, RUN) == "Completed"
    done = fleet.type("score", "test", "--date", DAY, "--on-platform")
    assert f"{RUN} is done" in done.out
    assert "the end of its log:" in done.out
    for circuit in ("CIRCUIT01", "CIRCUIT02"):
        # In a process of its own: reading a Delta table's history stops all threads of this one, the emulator's too.
        traced = fleet.spawn(
            "explain-forecast", f"test/PLANT001/{circuit}", "--date", DAY, "--format", "json"
        )
        assert traced.code == 0, traced.out + traced.err
        assert traced.json["issue"] == 1
