"""Which commit a fleet was read from: only one that holds every file as it was read."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from fleetcast.platforms.git.repository import UNCOMMITTED, commit_of

READ = ("fleetcast.yaml", "config/circuits.yaml", "config/circuits/more.yaml")


def git(folder: Path, *words: str) -> str:
    identity = ("-c", "user.name=ada", "-c", "user.email=ada@plant.example")
    done = subprocess.run(["git", *identity, *words], cwd=folder, check=True, capture_output=True, text=True)
    return done.stdout.strip()


@pytest.fixture
def fleet(tmp_path: Path) -> Path:
    """In a folder of a larger repository, with a name that git quotes."""
    folder = tmp_path / "ü fleets" / "plant"
    (folder / "config/circuits").mkdir(parents=True)
    for file in READ:
        (folder / file).write_text(f"# {file}\n")
    (folder / "notes.txt").write_text("notes\n")
    git(tmp_path, "init", "-q")
    git(tmp_path, "add", "-A")
    git(tmp_path, "commit", "-qm", "A fleet")
    return folder


def test_a_commit_that_holds_what_was_read_is_named(fleet: Path) -> None:
    (fleet / "untracked.txt").write_text("nobody reads this")
    assert commit_of(fleet, READ) == git(fleet, "rev-parse", "HEAD")


def untracked(fleet: Path) -> None:
    git(fleet, "rm", "-q", "--cached", READ[2])
    git(fleet, "commit", "-qm", "Forget a file")


def ignored(fleet: Path) -> None:
    (fleet / ".gitignore").write_text("config/circuits/\n")
    git(fleet, "add", ".gitignore")
    untracked(fleet)


def changed(fleet: Path) -> None:
    (fleet / READ[2]).write_text("# something else\n")


def overlooked(fleet: Path) -> None:
    git(fleet, "update-index", "--assume-unchanged", READ[2])
    changed(fleet)


def linked(fleet: Path) -> None:
    untracked(fleet)
    (fleet / READ[2]).unlink()
    (fleet / READ[2]).symlink_to(fleet / READ[1])


def deleted(fleet: Path) -> None:
    (fleet / "notes.txt").unlink()


@pytest.mark.parametrize("edit", [untracked, ignored, changed, overlooked, linked, deleted])
def test_a_commit_that_does_not_hold_what_was_read_is_not_named_alone(
    fleet: Path, edit: Callable[[Path], None]
) -> None:
    edit(fleet)
    assert commit_of(fleet, READ) == f"{git(fleet, 'rev-parse', 'HEAD')}+changes"


def test_a_link_that_the_commit_holds_is_what_was_read(fleet: Path) -> None:
    (fleet / READ[2]).unlink()
    (fleet / READ[2]).symlink_to("../circuits.yaml")
    git(fleet, "add", "-A")
    git(fleet, "commit", "-qm", "Link a file")
    assert commit_of(fleet, READ) == git(fleet, "rev-parse", "HEAD")


def test_outside_git_nothing_is_committed(tmp_path: Path) -> None:
    assert commit_of(tmp_path, READ) == UNCOMMITTED
