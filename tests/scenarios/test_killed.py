"""`kill -9` anywhere: the next `train` finishes, trains nothing finished twice, and leaves nobody behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.scenarios.repository import FIT, STAGES, Repository, alive, write_fleet
from tests.servers.postgres import PostgresServer

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]
Outcomes = dict[str, tuple[int, int]]

WATCHED = [
    *(("begins", stage) for stage in STAGES),
    *(("progress", stage) for stage in ("RegisterData", "MonitorTraining", "PromoteModels")),
    *(("ended", stage) for stage in STAGES),
]
BETWEEN_EFFECT_AND_RECORD = [
    ("after", "assets", "register", "1"),  # the environment is there, nobody wrote so
    ("after", "approvals", "open", "1"),  # asked for the environment
    ("after", "assets", "register", "2"),  # the component is there
    ("after", "frozen", "freeze", "1"),  # the first circuit's rows are kept, its asset is not
    ("after", "data", "register", "1"),
    ("before", "jobs", "submit", "1"),
    ("after", "jobs", "submit", "1"),
    ("before", "jobs", "wait", "2"),
    ("after", "jobs", "wait", "2"),
    ("before", "models", "register", "1"),
    ("after", "models", "register", "1"),
    ("after", "states", "select", "1"),
    ("after", "approvals", "open", "2"),  # asked for the models
    ("before", "runs", "save", "6"),  # MonitorTraining did its work, its record is missing
]
WHILE_PROMOTING = [
    ("after", "effects", "intend", "1"),
    ("before", "shared", "share_environment", "1"),
    ("after", "shared", "share_environment", "1"),
    ("after", "effects", "record", "1"),
    ("before", "shared", "share_models", "1"),
    ("after", "shared", "share_models", "1"),  # shared, and nobody wrote so
    ("after", "effects", "record", "2"),  # shared and recorded, but no champion yet
    ("after", "states", "crown", "1"),
    ("before", "runs", "save", "8"),
]


@pytest.fixture(scope="module")
def fleet_once(server: PostgresServer | None, tmp_path_factory: pytest.TempPathFactory) -> Repository:
    return write_fleet(tmp_path_factory.mktemp("killed") / "fleet", server, circuits=3)


@pytest.fixture
def fleet(fleet_once: Repository, tmp_path: Path) -> Repository:
    """Three circuits with readings; nothing ran yet."""
    return fleet_once.copy_to(tmp_path / "fleet")


def killed(fleet: Repository, *where: str) -> None:
    command = [sys.executable, "-m", "tests.scenarios.dying_run", str(fleet.folder), *where]
    environment = {**os.environ, **fleet.environment}
    done = subprocess.run(
        command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False, timeout=120
    )
    assert done.returncode == -signal.SIGKILL, done.stdout + done.stderr
    assert nobody_left(fleet)


def nobody_left(fleet: Repository) -> bool:
    """Whether every process of the fleet is gone, or goes within a few seconds: dying takes a moment."""
    deadline = time.monotonic() + 5
    while found := alive(str(fleet.folder)):
        if time.monotonic() > deadline:
            pytest.fail(f"still alive: {found}")
    return True


def outcomes(fleet: Repository) -> Outcomes:
    """The finished jobs: each outcome's file, by inode and time of writing."""
    found = {}
    for path in (fleet.state / "jobs").glob("*/outcome.json"):
        status = path.stat()
        found[path.parent.name] = (status.st_ino, status.st_mtime_ns)
    return found


def finishes(fleet: Repository, finished_before: Outcomes) -> None:
    """Go on as a person would, and check that nothing was done twice."""
    assert fleet.type("train").code == 3
    assert [number for _, number in fleet.versions()] == [1, 1, 1]
    assert len(fleet.jobs()) == 3
    assert {job.rpartition(".")[2] for job in fleet.jobs()} == {"1"}
    after = outcomes(fleet)
    assert {job: after[job] for job in finished_before} == finished_before
    for job in fleet.jobs():
        log = (fleet.state / "jobs" / job / "log.txt").read_text()
        if job in finished_before:
            assert log.count("step fit: done") == 1
    requests = fleet.requests("--all")
    assert len({request["subject_digest"] for request in requests}) == len(requests) == 4
    fleet.approve_all()
    promoted(fleet)


def promoted(fleet: Repository) -> None:
    done = fleet.type("train")
    assert done.code == 0, done.out + done.err
    assert [number for _, number in fleet.shared()] == [1, 1, 1]
    assert [number for _, number in fleet.versions()] == [1, 1, 1]
    assert fleet.type("plan", "--detailed-exitcode").code == 0
    assert fleet.type("audit", "verify").code == 0
    actions = fleet.audited()
    assert actions.count("model.registered") == actions.count("model.shared") == 3
    assert actions.count("model.selected") == actions.count("model.crowned") == 3
    assert actions.count("environment.registered") == actions.count("environment.shared") == 1


@pytest.mark.parametrize(("moment", "stage"), WATCHED)
def test_a_run_killed_in_any_stage_is_finished_by_the_next(
    fleet: Repository, moment: str, stage: str
) -> None:
    killed(fleet, moment, stage)
    finishes(fleet, outcomes(fleet))


@pytest.mark.parametrize("where", BETWEEN_EFFECT_AND_RECORD, ids="-".join)
def test_a_run_killed_between_an_effect_and_its_record_is_finished_by_the_next(
    fleet: Repository, where: tuple[str, ...]
) -> None:
    killed(fleet, *where)
    finishes(fleet, outcomes(fleet))


@pytest.fixture(scope="module")
def approved_once(fleet_once: Repository, tmp_path_factory: pytest.TempPathFactory) -> Repository:
    fleet = fleet_once.copy_to(tmp_path_factory.mktemp("approved") / "fleet")
    assert fleet.type("train").code == 3
    fleet.approve_all()
    return fleet


@pytest.mark.parametrize("where", WHILE_PROMOTING, ids="-".join)
def test_a_run_killed_while_sharing_shares_everything_once(
    approved_once: Repository, tmp_path: Path, where: tuple[str, ...]
) -> None:
    fleet = approved_once.copy_to(tmp_path / "fleet")
    killed(fleet, *where)
    promoted(fleet)


def start_and_stop_half_way(fleet: Repository, sign: signal.Signals) -> tuple[subprocess.Popen[str], Path]:
    """Start a run whose first two circuits finish and whose third hangs, and send it a signal then."""
    let_go, hung = fleet.folder / "let-go", fleet.folder / "hung"
    os.mkfifo(hung)
    script = f"grep -q CIRCUIT03 $1 && [ ! -e {let_go} ] && {{ echo > {hung}; exec sleep 600; }}\n{FIT}"
    fleet.fit_with(script)
    settings = fleet.folder / "fleetcast.yaml"
    settings.write_text(settings.read_text().replace("# workers: 2", "workers: 1  #"))
    process = fleet.start("train")
    hung.read_text()  # blocks until the third circuit's command opens the pipe
    process.send_signal(sign)
    return process, let_go


def test_a_kill_from_outside_in_the_middle_of_training(fleet: Repository) -> None:
    process, let_go = start_and_stop_half_way(fleet, signal.SIGKILL)
    process.communicate(timeout=300)
    assert process.returncode == -signal.SIGKILL
    assert nobody_left(fleet)
    finished = outcomes(fleet)
    assert len(finished) == 2
    let_go.touch()
    finishes(fleet, finished)


def test_ctrl_c_in_the_middle_of_training(fleet: Repository) -> None:
    process, let_go = start_and_stop_half_way(fleet, signal.SIGINT)
    _, err = process.communicate(timeout=300)
    assert process.returncode == 1
    assert "interrupted; what is finished is kept: the same command continues" in err
    assert "Traceback" not in err
    assert nobody_left(fleet)
    shown = fleet.type("runs", "list", "--format", "json").json
    assert [run["state"] for run in shown] == ["open"]
    finished = outcomes(fleet)
    assert len(finished) == 2
    let_go.touch()
    finishes(fleet, finished)


def test_jobs_of_a_configuration_that_was_edited_meanwhile_are_not_run(fleet: Repository) -> None:
    killed(fleet, "after", "jobs", "submit", "1")
    stale = set(fleet.jobs())
    for circuit in ("CIRCUIT01", "CIRCUIT02", "CIRCUIT03"):
        fleet.declare(circuit, "revision: 1")
    assert fleet.type("train").code == 3
    assert not stale & set(outcomes(fleet))
    assert len(outcomes(fleet)) == 3


def test_jobs_of_circuits_that_were_not_named_are_not_run(fleet: Repository) -> None:
    killed(fleet, "after", "jobs", "submit", "1")
    assert fleet.type("train", "--circuits", "PLANT001/CIRCUIT02").code == 3
    assert list(outcomes(fleet)) == [job for job in fleet.jobs() if "circuit02" in job]
    finishes(fleet, outcomes(fleet))
