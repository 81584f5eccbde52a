"""Another user of the machine who may write to the database and the artifacts, and cannot read the key."""

from __future__ import annotations

import os
import shutil
import stat
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.scenarios.repository import Repository, write_fleet
from tests.tamper.cases import Store, swapped_artifacts
from tests.tamper.telling import moves

NOBODY = 65_534
ROOT_NEEDED = "only root can act as another user: run the tests as root"


def as_nobody(work: Callable[[], None]) -> int:
    """The exit code of a process of another user that does this."""
    child = os.fork()
    if not child:
        code = 70
        try:
            os.setgroups([])
            os.setgid(NOBODY)
            os.setuid(NOBODY)
            work()
            code = 0
        finally:
            os._exit(code)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


@pytest.fixture(scope="module")
def folder() -> Iterator[Path]:
    """A folder that other users may look into, unlike those of the tests."""
    made = Path(tempfile.mkdtemp(prefix="fleetcast-shared-"))
    try:
        made.chmod(0o755)
        yield made
    finally:
        shutil.rmtree(made)


@pytest.fixture(scope="module")
def approved(folder: Path) -> Repository:
    """A fleet whose models were approved and not shared yet."""
    fleet = write_fleet(folder / "fleet", None)
    assert fleet.type("train").code == 3
    assert fleet.type("approve", "--passing").code == 0
    return fleet


@pytest.fixture
def writable(approved: Repository, folder: Path, tmp_path: Path) -> Repository:
    """A copy of it; everybody may write to all that it keeps."""
    fleet = approved.copy_to(folder / tmp_path.name)
    for path in (fleet.folder, fleet.state, *fleet.state.rglob("*")):
        path.chmod(0o777 if path.is_dir() else 0o666)
    return fleet


def swap(fleet: Repository) -> None:
    swapped_artifacts(Store(fleet.state, fleet.state))


def swap_files(fleet: Repository) -> None:
    """Put the files of one model where those of the other are."""
    store = Store(fleet.state, fleet.state)
    (one, other) = [
        fleet.state / "artifacts" / digest[:2] / digest
        for (digest,) in store.rows("SELECT DISTINCT artifact FROM model_versions ORDER BY artifact LIMIT 2")
    ]
    one.rename(fleet.state / "aside")
    other.rename(one)
    (fleet.state / "aside").rename(other)


def remove_manifests(fleet: Repository) -> None:
    Store(fleet.state, fleet.state).execute("DELETE FROM manifests")


def swap_and_remove_manifests(fleet: Repository) -> None:
    swap(fleet)
    remove_manifests(fleet)


@pytest.mark.slow
@pytest.mark.skipif(os.geteuid() != 0, reason=ROOT_NEEDED)
@pytest.mark.parametrize("work", [swap, swap_files, remove_manifests, swap_and_remove_manifests])
def test_what_somebody_without_the_key_swaps_is_not_shared(
    writable: Repository, work: Callable[[Repository], None]
) -> None:
    (key,) = Path(os.environ["XDG_STATE_HOME"]).rglob("signing.key")
    assert stat.S_IMODE(key.stat().st_mode) == 0o600

    def tries_the_key_and_swaps() -> None:
        with pytest.raises(PermissionError):
            key.read_bytes()
        work(writable)

    assert as_nobody(tries_the_key_and_swaps) == 0
    said = writable.type("train")
    assert "Traceback" not in said.err
    assert moves(Store(writable.state, writable.state)) == []
    assert said.code != 0, said.out
