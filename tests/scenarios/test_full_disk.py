"""A disk that is full or read-only: one clear error, and all of the work once there is room again."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.scenarios.repository import ON_SQLITE, Repository, Said

pytestmark = ON_SQLITE

PLENTY = "size=64m"


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A small file system of its own, whose size can be changed."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", PLENTY, "tmpfs", str(folder)], capture_output=True, check=False
    )
    if mounted.returncode:
        pytest.skip("only root can mount a small disk here")
    yield folder
    subprocess.run(["umount", "--lazy", str(folder)], check=True)


def remount(disk: Path, options: str) -> None:
    subprocess.run(["mount", "-o", f"remount,{options}", "tmpfs", str(disk)], check=True)


def leave(disk: Path, kilobytes: int) -> None:
    """Let that much room be left."""
    remount(disk, f"size={shutil.disk_usage(disk).used + kilobytes * 1024}")


def one_clear_error(said: Said) -> None:
    assert said.code == 1, said.out
    assert said.err.count("error: ") == 1, said.err
    assert "  fix: " in said.err
    assert "Traceback" not in said.err


def finishes(fleet: Repository) -> None:
    done = fleet.spawn("train")
    assert done.code == 3, done.err
    assert [number for _, number in fleet.versions()] == [1, 1]
    assert fleet.spawn("audit", "verify").code == 0
    assert list(fleet.state.rglob("*.partial")) == []


def test_a_full_disk_is_one_clear_error_and_the_next_run_finishes(
    declared_once: Repository, disk: Path
) -> None:
    fleet = declared_once.copy_to(disk / "fleet")
    leave(disk, 0)
    one_clear_error(fleet.spawn("train"))
    remount(disk, PLENTY)
    finishes(fleet)


@pytest.mark.slow
@pytest.mark.parametrize("kilobytes", [32, 200, 300, 340, 380, 420, 460, 500])
def test_a_disk_that_fills_up_during_a_run_loses_nothing(
    declared_once: Repository, disk: Path, kilobytes: int
) -> None:
    fleet = declared_once.copy_to(disk / "fleet")
    leave(disk, kilobytes)
    said = fleet.spawn("train")
    if said.code != 3:
        one_clear_error(said)
    remount(disk, PLENTY)
    finishes(fleet)


def test_a_read_only_disk_can_be_looked_at_but_not_worked_on(trained_once: Repository, disk: Path) -> None:
    fleet = trained_once.copy_to(disk / "fleet")
    remount(disk, "ro")
    one_clear_error(fleet.spawn("train"))
    one_clear_error(fleet.spawn("approve", "1"))
    assert "Traceback" not in fleet.spawn("plan").err
    remount(disk, f"rw,{PLENTY}")
    finishes(fleet)
