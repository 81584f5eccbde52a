"""A job's own files that are torn, or are something else: named, set aside, and the job is done again."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from datetime import timedelta
from pathlib import Path

import pytest

from fleetcast.domain.job import JobState, TrainingJob
from fleetcast.domain.settings import PlatformSettings
from fleetcast.platforms.jobs.worker import outcome_file
from fleetcast.platforms.local.platform import local_platform
from fleetcast.ports.platform import Platform
from fleetcast.stored.jobs import JOB_OUTCOME
from tests.clocks import FixedClock
from tests.contracts.samples import ADA, component, job, readings
from tests.stored.examples import EXAMPLES

OUTCOME = EXAMPLES["jobs_outcome"].stored.to_json(EXAMPLES["jobs_outcome"].value).encode()
HALF = len(OUTCOME) // 2


def text(content: bytes) -> Callable[[Path], object]:
    return lambda path: path.write_bytes(content)


TORN: Mapping[str, Callable[[Path], object]] = {
    "no byte": text(b""),
    "one byte": text(OUTCOME[:1]),
    "two bytes": text(OUTCOME[:2]),
    "half": text(OUTCOME[:HALF]),
    "all but the last byte": text(OUTCOME[:-1]),
    "no UTF-8": text(OUTCOME[:HALF] + b"\xff" + OUTCOME[HALF + 1 :]),
    "zeros": text(b"\0" * len(OUTCOME)),
    "null": text(b"null"),
    "a list": text(b"[]"),
    "an empty object": text(b"{}"),
    "a folder": Path.mkdir,
    "a link to nothing": lambda path: path.symlink_to("nowhere"),
    "a link to itself": lambda path: path.symlink_to(path.name),
    "a pipe": os.mkfifo,
}


@pytest.fixture(scope="module")
def platform(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Platform]:
    state = tmp_path_factory.mktemp("torn") / "state"
    made = local_platform(state, {}, PlatformSettings(workers=1), actor=ADA, clock=FixedClock())
    yield made
    made.workspace.jobs.close()


@pytest.fixture
def queued(platform: Platform, request: pytest.FixtureRequest) -> TrainingJob:
    """A job of this test alone."""
    rows = readings()
    platform.workspace.frozen.freeze(rows, rows.fingerprint())
    name = f"m{abs(hash(request.node.name))}"
    made = job(rows, component(), name=name)
    platform.workspace.jobs.submit([made], component())
    return made


def folder_of(platform: Platform, queued: TrainingJob) -> Path:
    folder: Path = platform.workspace.jobs._folder  # type: ignore[attr-defined]  # of the local platform
    return folder / queued.id


def seen_through(platform: Platform, queued: TrainingJob) -> TrainingJob:
    while not (
        ended := [
            job
            for job in platform.workspace.jobs.wait([queued.task.training_hash], timedelta(seconds=30))
            if job.state.final
        ]
    ):
        pass
    return ended[0]


@pytest.mark.parametrize("damage", TORN)
def test_a_torn_outcome_is_set_aside_and_the_job_is_done_again(
    platform: Platform, queued: TrainingJob, damage: str
) -> None:
    file = outcome_file(folder_of(platform, queued))
    file.parent.mkdir(parents=True)
    TORN[damage](file)
    was = os.lstat(file)
    ended = seen_through(platform, queued)
    assert ended.state is JobState.COMPLETED, ended.error
    assert JOB_OUTCOME.from_json(file.read_bytes(), "") == ended.outcome
    (said,) = platform.workspace.jobs.set_aside()
    assert str(file) in said
    assert said.endswith(f"it is kept as outcome.json.torn-1, and {queued.id} is done again")
    aside = os.lstat(file.with_name("outcome.json.torn-1"))
    assert (aside.st_ino, aside.st_size) == (was.st_ino, was.st_size)
    assert platform.workspace.jobs.set_aside() == []


def test_what_was_set_aside_before_is_kept_as_well(platform: Platform, queued: TrainingJob) -> None:
    file = outcome_file(folder_of(platform, queued))
    file.parent.mkdir(parents=True)
    file.with_name("outcome.json.torn-1").write_text("of another day")
    file.write_text("{")
    assert seen_through(platform, queued).state is JobState.COMPLETED
    assert file.with_name("outcome.json.torn-1").read_text() == "of another day"
    assert file.with_name("outcome.json.torn-2").read_text() == "{"
    platform.workspace.jobs.set_aside()


@pytest.mark.parametrize(
    ("name", "put"),
    [
        ("task.json", Path.mkdir),
        ("task.json", os.mkfifo),
        ("log.txt", Path.mkdir),
        ("log.txt", os.mkfifo),
        ("outputs", Path.touch),
        ("outputs", lambda path: path.symlink_to(path.parent)),
        ("outcome.partial", Path.mkdir),
    ],
)
def test_something_else_in_the_place_of_a_jobs_file_stops_nothing(
    platform: Platform, queued: TrainingJob, name: str, put: Callable[[Path], object]
) -> None:
    folder = folder_of(platform, queued)
    folder.mkdir(parents=True)
    put(folder / name)
    ended = seen_through(platform, queued)
    assert ended.state is JobState.COMPLETED, ended.error
    platform.workspace.jobs.set_aside()


def test_a_file_in_the_place_of_a_jobs_folder_is_set_aside(platform: Platform, queued: TrainingJob) -> None:
    folder = folder_of(platform, queued)
    folder.parent.mkdir(parents=True, exist_ok=True)
    folder.write_text("not a folder")
    assert seen_through(platform, queued).state is JobState.COMPLETED
    assert folder.with_name(f"{folder.name}.torn-1").read_text() == "not a folder"
    assert platform.workspace.jobs.set_aside() == [
        f"{folder} was in the way; it is kept as {folder.name}.torn-1"
    ]
