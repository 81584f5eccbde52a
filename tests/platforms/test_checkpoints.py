"""Checkpoints in a folder: the last one of each database, readable by its owner alone."""

from __future__ import annotations

import os
from pathlib import Path

from fleetcast.domain.audit import Mark
from fleetcast.domain.checkpoint import Checkpoint
from fleetcast.domain.identity import Digest
from fleetcast.domain.manifest import Seal
from fleetcast.platforms.checkpoints.folder import FolderCheckpoints
from tests.signing import signer


def checkpoint(number: int) -> Checkpoint:
    mark = Mark(number, Digest.of(str(number).encode()))
    return Checkpoint(Digest.of(b"first"), Seal(mark, signer().sign(Seal.message(mark))))


def test_the_last_one_of_each_database_is_kept(tmp_path: Path) -> None:
    kept = FolderCheckpoints(lambda: tmp_path / "checkpoints")
    assert kept.latest("one") is None
    kept.put("one", checkpoint(1))
    kept.put("one", checkpoint(2))
    kept.put("other", checkpoint(7))
    assert (kept.latest("one"), kept.latest("other")) == (checkpoint(2), checkpoint(7))
    kept.forget("one")
    assert (kept.latest("one"), kept.latest("other")) == (None, checkpoint(7))
    assert kept.keeper() == os.getuid()


def test_what_is_torn_says_nothing_and_gives_way(tmp_path: Path) -> None:
    kept = FolderCheckpoints(lambda: tmp_path)
    kept.put("one", checkpoint(1))
    (file,) = tmp_path.iterdir()
    file.write_bytes(file.read_bytes()[:20])
    assert kept.latest("one") is None
    kept.put("one", checkpoint(2))
    assert kept.latest("one") == checkpoint(2)


def test_a_folder_that_cannot_be_written_stops_nobody(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    kept = FolderCheckpoints(lambda: tmp_path / "file" / "checkpoints")
    kept.put("one", checkpoint(1))
    assert kept.latest("one") is None
    assert kept.keeper() is None


def test_others_cannot_read_it_whatever_the_umask(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        FolderCheckpoints(lambda: tmp_path / "checkpoints").put("one", checkpoint(1))
    finally:
        os.umask(before)
    (file,) = (tmp_path / "checkpoints").iterdir()
    assert (file.stat().st_mode & 0o777, file.parent.stat().st_mode & 0o777) == (0o600, 0o700)
