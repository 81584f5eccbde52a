"""`fleetcast clean`, typed: old versions lose their files, clients and people lose nothing, whenever it is killed."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from fleetcast.domain.approval import Choice
from fleetcast.domain.identity import Digest
from fleetcast.domain.place import EnvironmentName
from fleetcast.domain.release import Endpoint, Release, ServedModel
from fleetcast.platforms.files.artifact_store import FileArtifactStore
from tests.fleets import SmallFleet, small_fleet
from tests.scenarios.repository import CIRCUIT01, Repository

ROOT = Path(__file__).parents[2]
TEST = Endpoint(EnvironmentName.TEST, "PLANT001")


def serve(fleet: SmallFleet, version: int) -> None:
    """Have clients answered by a version that is shared."""
    platform, name = fleet.opened.platform, fleet.circuit.model_name
    found = platform.workspace.models.versions([name])[name][version - 1]
    model = ServedModel(name, version, found.model.artifact, found.training_hash)
    release = Release(TEST.environment, TEST.plant, "1.0.0", {"CIRCUIT01": model})
    kept = platform.control.releases.keep([release])
    platform.workspace.endpoints.serve(TEST, release.digest)
    platform.control.releases.make_live(kept)


@pytest.fixture(scope="module")
def long_ago(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[int, Digest]]:
    """One circuit, trained in March 2025: versions 1 and 4 were shared and served, 2 and 3 were rejected."""
    fleet = small_fleet(tmp_path_factory.mktemp("long-ago"), "local", circuits=1, family="seasonal_naive")
    fleet.promote()
    serve(fleet, 1)
    for revision in (1, 2):
        fleet.change(revision=revision)
        fleet.train()
        fleet.decide(Choice.REJECT)
    fleet.change(revision=3)
    fleet.promote()
    serve(fleet, 4)
    name = fleet.circuit.model_name
    held = fleet.opened.platform.workspace.models.versions([name])[name]
    artifacts = {version.version: version.model.artifact for version in held}
    assert sorted(artifacts) == [1, 2, 3, 4]
    return fleet.opened.directory, artifacts


@pytest.fixture
def fleet(long_ago: tuple[Path, dict[int, Digest]], tmp_path: Path) -> Repository:
    copied = Repository(Path(shutil.copytree(long_ago[0], tmp_path / "fleet", symlinks=True)))
    copied.declare("CIRCUIT01", "revision: 3")
    return copied


@pytest.fixture
def artifacts(long_ago: tuple[Path, dict[int, Digest]]) -> dict[int, Digest]:
    return long_ago[1]


def kept(fleet: Repository, artifacts: dict[int, Digest]) -> list[int]:
    """The versions whose files are there."""
    store = FileArtifactStore(fleet.state / "artifacts")
    lacking = store.lacking(dict.fromkeys(artifacts.values()))
    return [number for number, artifact in artifacts.items() if artifact not in lacking]


def test_old_versions_go_and_what_serves_and_served_stays(
    fleet: Repository, artifacts: dict[int, Digest]
) -> None:
    shown = fleet.type("clean")
    assert shown.code == 0, shown.err
    assert "models (older than 30 days): the files of 2 versions" in shown.out
    assert "2 stay, as it serves" not in shown.out
    assert "1 stays, as it serves" in shown.out
    assert "1 stays, as it served before what serves" in shown.out
    assert kept(fleet, artifacts) == [1, 2, 3, 4], "shown, not done"

    done = fleet.type("clean", "--apply", "--yes", "--format", "json")
    assert done.code == 0, done.err
    assert [one["version"] for one in done.json["removed"]["versions"]] == [2, 3]
    assert done.json["plan"]["models"]["stay"] == {"deployed": 1, "previous": 1}
    assert kept(fleet, artifacts) == [1, 4]

    assert fleet.type("audit", "verify").code == 0
    verified = fleet.type("models", "verify")
    assert verified.code == 0, verified.out
    shown = fleet.type("models", "show", f"{CIRCUIT01}:2")
    assert shown.code == 0, shown.err
    assert "removed by retention on" in shown.out
    assert "damaged" not in shown.out
    versions = fleet.type("models", "show", CIRCUIT01, "--format", "json").json["versions"]
    assert [one["files_removed_at"] is None for one in versions] == [True, False, False, True]
    refused = fleet.type("forecast", CIRCUIT01, "--model-version", "2")
    assert refused.code == 1
    assert "plant001-circuit01:2 were removed by retention" in refused.err
    assert fleet.type("forecast", CIRCUIT01).code == 0

    back = fleet.type("rollback", "test", "PLANT001", "-m", "off by 100")
    assert back.code == 0, back.err
    assert "test/PLANT001:2 → test/PLANT001:1" in back.out
    again = fleet.type("clean", "dev")
    assert again.out.splitlines()[-1] == "nothing goes"
    assert kept(fleet, artifacts) == [1, 4]


def test_what_was_removed_is_trained_again_where_it_is_declared(fleet: Repository) -> None:
    assert fleet.type("clean", "--apply", "--yes").code == 0
    fleet.edit("config/circuits.yaml", "revision: 3", "revision: 4")
    assert fleet.type("train").code == 3
    fleet.approve_all()
    assert fleet.type("train").code == 0
    assert fleet.type("models", "verify").code == 0


def test_nothing_goes_before_somebody_agrees(fleet: Repository, artifacts: dict[int, Digest]) -> None:
    for words, says in (
        (("clean", "--yes"), "--yes agrees to nothing without --apply"),
        (("clean", "--apply", "--format", "json"), "a program cannot be asked"),
    ):
        said = fleet.type(*words)
        assert said.code == 1
        assert says in said.err
    answered = subprocess.run(
        fleet.command("clean", "--apply"),
        input="n\n",
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert answered.returncode == 1
    assert "Remove it for good?" in answered.stdout
    assert kept(fleet, artifacts) == [1, 2, 3, 4]


def test_programs_are_told_what_goes(fleet: Repository) -> None:
    said = fleet.type("clean", "dev", "--format", "json").json
    assert [one["versions"][0]["version"] for one in said["models"]["go"]] == [2, 3]
    assert said["models"]["bytes"] > 0
    assert len(said["logs"]["go"]) == 4
    assert said["logs_kept_by_platform"] is False
    assert [one["data_source"] for one in said["tables"]] == ["readings"]
    assert (said["forecasts"], said["unfinished_removals"]) == ([], 0)


@pytest.mark.slow
@pytest.mark.parametrize(
    "where",
    [
        ("before", "control.effects", "intend"),
        ("after", "control.effects", "intend"),
        ("after", "control.states", "retire"),
        ("after", "workspace.jobs", "give_up"),
        ("after", "workspace.frozen", "remove"),
        ("before", "workspace.artifacts", "remove"),
        ("after", "workspace.artifacts", "remove"),
        ("before", "control.effects", "record"),
        ("after", "control.effects", "record"),
        ("after", "workspace.jobs", "remove_logs"),
    ],
    ids=" ".join,
)
def test_a_process_that_is_killed_leaves_nothing_that_promises_what_is_gone(
    fleet: Repository, artifacts: dict[int, Digest], where: tuple[str, str, str]
) -> None:
    command = [sys.executable, "-m", "tests.scenarios.dying_clean", str(fleet.folder), *where]
    died = subprocess.run(
        command, cwd=ROOT, env=os.environ, capture_output=True, text=True, check=False, timeout=120
    )
    assert died.returncode == -signal.SIGKILL, died.stdout + died.stderr
    there = kept(fleet, artifacts)
    assert {1, 4} <= set(there)
    shown = fleet.type("models", "show", CIRCUIT01, "--format", "json").json["versions"]
    promised = [one["version"] for one in shown if one["files_removed_at"] is None]
    assert set(promised) <= set(there), "a version is said to have files which are gone"
    assert fleet.type("audit", "verify").code == 0
    assert fleet.type("models", "verify").code == 0

    assert fleet.type("clean", "--apply", "--yes").code == 0
    assert kept(fleet, artifacts) == [1, 4]
    entries = fleet.type("audit", "list", "--last", "500", "--format", "json").json
    actions = [entry["action"] for entry in entries]
    assert actions.count("model.retired") == actions.count("artifact.removed") == 2
    assert fleet.type("clean", "dev").out.splitlines()[-1] == "nothing goes"
    assert fleet.type("audit", "verify").code == 0
