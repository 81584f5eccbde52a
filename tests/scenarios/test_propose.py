"""A retrain is proposed where it would pay: measured, as a branch with one commit, and as a pull request."""

from __future__ import annotations

import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from fleetcast.app import open_own_table
from fleetcast.domain.identity import CircuitKey
from fleetcast.ports.readings import ReadingsWanted
from tests.scenarios.repository import CIRCUIT01, CIRCUIT02, ON_SQLITE, Repository
from tests.servers.recorded import recorded

pytestmark = ON_SQLITE
"""What is proposed does not depend on where the control database is."""
_NEXT = datetime(2025, 3, 2, tzinfo=UTC)
"""Just after the newest reading of the fleet."""
_DAYS = 20


def git(fleet: Repository, *words: str) -> str:
    done = subprocess.run(["git", *words], cwd=fleet.folder, capture_output=True, text=True, check=True)
    return done.stdout.strip()


@pytest.fixture
def kept(promoted: Repository) -> Repository:
    """In git, and with twenty more days of readings; one circuit runs by another rhythm in them."""
    git(promoted, "init", "--quiet", "--initial-branch", "develop")
    for name, value in (("user.name", "Ada"), ("user.email", "ada@example.com")):
        git(promoted, "config", name, value)
    git(promoted, "add", ".")
    git(promoted, "commit", "--quiet", "--message", "the fleet")
    table = open_own_table(promoted.folder)
    version = table.latest_version()
    assert version is not None
    for name, changed in ((CIRCUIT01, False), (CIRCUIT02, True)):
        key = CircuitKey.parse(name)
        begin = _NEXT - timedelta(days=28)
        (before,) = table.read([ReadingsWanted(key, tuple(table.sensors(version)), begin, _NEXT)], version)
        values = before.values[: _DAYS * 24].copy()
        if changed:
            hours = np.arange(len(values))[:, None]
            spread = before.values.std(axis=0)
            values = (
                before.values.mean(axis=0)
                + spread * (2 * (hours // 5 % 2) - 1)
                + 0.1 * (values - values.mean(axis=0))
            )
        times = [_NEXT + timedelta(hours=number) for number in range(len(values))]
        columns = {sensor: values[:, number] for number, sensor in enumerate(before.sensors)}
        rows = {
            "plant_id": [key.plant] * len(times),
            "circuit_id": [key.circuit] * len(times),
            "timestamp": times,
        }
        table.merge(pl.DataFrame(rows | columns))
    return promoted


def test_the_circuit_that_would_gain_is_proposed_on_a_branch_beside_what_is_checked_out(
    kept: Repository,
) -> None:
    said = kept.type("propose", "--circuits", "*", "--min-gain", "0.5", "--format", "json")
    assert said.code == 0, said.err
    (one,) = said.json["proposed"]
    assert f"{one['plant_id']}/{one['circuit_id']}" == CIRCUIT02
    assert one["gain"]["error_saved"] > 0.2
    assert one["cutoff_date"]["after"] == "2025-03-21"
    (left,) = said.json["left"]
    assert left["gain"]["error_saved"] < 0.5
    branch = said.json["branch"]
    assert git(kept, "status", "--porcelain") == ""
    assert git(kept, "rev-parse", "--abbrev-ref", "HEAD") == "develop"
    changed = git(kept, "diff", "--name-only", "develop", branch)
    assert changed == "config/circuits.yaml"
    diff = git(kept, "diff", "develop", branch)
    assert "cutoff_date: 2025-03-21, delta_version: 2}" in diff
    assert "2025-02-25 → 2025-03-21" in git(kept, "log", "-1", "--format=%B", branch)

    again = kept.type("propose", "--circuits", "*", "--min-gain", "0.5", "--format", "json")
    assert again.json["commit"] == said.json["commit"]
    assert git(kept, "worktree", "list").count("\n") == 0

    git(kept, "merge", "--quiet", branch)
    assert kept.actions() == {CIRCUIT01: "up to date", CIRCUIT02: "train"}


def test_a_patch_applies_and_makes_no_branch(kept: Repository, tmp_path: Path) -> None:
    patch = tmp_path / "retrain.patch"
    said = kept.type("propose", "--patch", str(patch), "--circuits", CIRCUIT02)
    assert said.code == 0, said.err
    assert "of the error of plant001-circuit02:1 saved" in said.out
    assert git(kept, "branch", "--list") == "* develop"
    git(kept, "apply", str(patch))
    assert kept.actions()[CIRCUIT02] == "train"


def test_open_pushes_the_branch_and_asks_once(
    kept: Repository, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    origin = tmp_path / "origin.git"
    subprocess.run(["git", "init", "--quiet", "--bare", str(origin)], check=True)
    git(kept, "remote", "add", "origin", str(origin))
    with recorded() as service:
        pulls = "/api/v3/repos/acme/fleet/pulls"
        service.answer("GET", pulls, [])
        service.answer("POST", pulls, {"number": 7, "html_url": "https://example.com/pull/7"}, status=201)
        monkeypatch.setenv("GITHUB_SERVER_URL", service.url)
        monkeypatch.setenv("GITHUB_REPOSITORY", "acme/fleet")
        monkeypatch.setenv("GITHUB_TOKEN", "s3cret")
        said = kept.type("propose", "--open", "--branch", "retrain/now", "--circuits", CIRCUIT02)
        assert said.code == 0, said.err
        assert "pull request: https://example.com/pull/7" in said.out
        posted = service.asked[-1].body
        assert (posted["head"], posted["base"]) == ("retrain/now", "develop")
        assert posted["title"] == "Retrain PLANT001/CIRCUIT02 on newer readings"
        assert "| `PLANT001/CIRCUIT02` |" in posted["body"]
        assert "s3cret" not in said.out + said.err
    heads = subprocess.run(
        ["git", "branch", "--list"], cwd=origin, capture_output=True, text=True, check=True
    )
    assert "retrain/now" in heads.stdout


def test_what_stands_in_the_way_is_said(kept: Repository) -> None:
    taken = kept.type("propose", "--circuits", "*", "--branch", "not a name")
    assert (taken.code, "is no name of a branch" in taken.err) == (1, True)
    git(kept, "branch", "other")
    held = kept.type("propose", "--circuits", "*", "--branch", "other")
    assert (held.code, "is there already, with another change" in held.err) == (1, True)
    nowhere = kept.type("propose", "--circuits", "*", "--open")
    assert (nowhere.code, "GITHUB_REPOSITORY" in nowhere.err) == (1, True)
    kept.edit("config/circuits.yaml", "cutoff_date: 2025-02-25", "cutoff_date: 2025-02-26")
    edited = kept.type("propose", "--circuits", "*")
    assert (edited.code, "commit or stash your changes" in edited.err) == (1, True)


def test_without_newer_readings_nothing_is_proposed(promoted: Repository) -> None:
    promoted.type("bump", "--cutoff", "2025-03-01")
    said = promoted.type("propose", "--circuits", "*")
    assert said.code == 0, said.err
    assert "nothing is proposed" in said.out
    assert f"{CIRCUIT01}: left as declared: no readings came after 2025-03-01" in said.out


def test_without_an_alarm_nothing_is_looked_at(promoted: Repository) -> None:
    said = promoted.type("propose")
    assert said.code == 0, said.err
    assert "no alarm is open in prod that a retrain may end" in said.out
