"""Artifacts on another disk, and behind links."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from fleetcast.domain.errors import Unavailable
from fleetcast.platforms.files.artifact_store import FileArtifactStore
from fleetcast.stored.plain_folder import digest_of_folder

SHARED_MEMORY = Path("/dev/shm")  # noqa: S108  # a disk of its own on Linux


@pytest.fixture
def other_disk(tmp_path: Path) -> Iterator[Path]:
    if not SHARED_MEMORY.is_dir() or SHARED_MEMORY.stat().st_dev == tmp_path.stat().st_dev:
        pytest.skip("there is one disk only")
    with tempfile.TemporaryDirectory(dir=SHARED_MEMORY) as folder:
        yield Path(folder)


def model(folder: Path) -> Path:
    (folder / "inner").mkdir(parents=True)
    (folder / "MLmodel").write_text("flavors: {}\n")
    (folder / "inner" / "weights").write_bytes(bytes(range(256)) * 100)
    return folder


def test_a_model_is_kept_on_another_disk(tmp_path: Path, other_disk: Path) -> None:
    store = FileArtifactStore(other_disk / "artifacts")
    made = model(tmp_path / "model")
    digest = digest_of_folder(made).digest
    assert store.keep(made) == digest
    assert not made.exists()
    assert digest_of_folder(store.folder(digest)).digest == digest
    assert [path.name for path in store.folder(digest).parent.iterdir()] == [digest.hex]


def test_a_model_is_kept_behind_a_link_to_another_disk(tmp_path: Path, other_disk: Path) -> None:
    link = tmp_path / "artifacts"
    link.symlink_to(other_disk)
    digest = FileArtifactStore(link).keep(model(tmp_path / "model"))
    assert FileArtifactStore(other_disk).folder(digest).is_dir()


def test_a_copy_that_cannot_be_made_leaves_the_model_where_it_was(tmp_path: Path, other_disk: Path) -> None:
    made = model(tmp_path / "model")
    digest = digest_of_folder(made).digest
    (other_disk / digest.hex[:2]).write_text("in the way")
    with pytest.raises(Unavailable, match="cannot keep the model"):
        FileArtifactStore(other_disk).keep(made)
    assert digest_of_folder(made).digest == digest
    assert [path.name for path in other_disk.iterdir()] == [digest.hex[:2]]
