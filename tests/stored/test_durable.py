"""Files that are on the disk before anything names them."""

from __future__ import annotations

from pathlib import Path

import pytest

from fleetcast.stored.durable import make_private_folder, partial_beside, write_durably, write_secret


def test_what_a_killed_process_of_the_same_number_left_is_no_obstacle(tmp_path: Path) -> None:
    partial_beside(tmp_path / "outcome.json").write_text("half of")
    write_durably(tmp_path / "outcome.json", b"{}")
    assert [(path.name, path.read_bytes()) for path in tmp_path.iterdir()] == [("outcome.json", b"{}")]


def test_a_file_that_cannot_be_written_leaves_the_earlier_one(tmp_path: Path) -> None:
    partial_beside(tmp_path / "outcome.json").mkdir()
    (tmp_path / "outcome.json").write_bytes(b"before")
    with pytest.raises(OSError, match="directory"):
        write_durably(tmp_path / "outcome.json", b"after")
    assert (tmp_path / "outcome.json").read_bytes() == b"before"


def test_a_secret_is_written_once_unless_it_is_to_be_replaced(tmp_path: Path) -> None:
    path = tmp_path / "made" / "for it" / "secret"
    assert write_secret(path, b"first")
    assert not write_secret(path, b"second")
    assert path.read_bytes() == b"first"
    assert write_secret(path, b"third", replace=True)
    assert path.read_bytes() == b"third"
    assert [each.name for each in path.parent.iterdir()] == ["secret"]
    assert (path.stat().st_mode & 0o777, path.stat().st_nlink) == (0o600, 1)
    assert {folder.stat().st_mode & 0o777 for folder in (path.parent, path.parent.parent)} == {0o700}


def test_a_secret_that_cannot_be_written_leaves_nothing_of_itself(tmp_path: Path) -> None:
    (tmp_path / "secret").mkdir()
    with pytest.raises(OSError, match="directory"):
        write_secret(tmp_path / "secret", b"after", replace=True)
    assert not write_secret(tmp_path / "secret", b"after")
    assert [each.name for each in tmp_path.iterdir()] == ["secret"]


def test_a_folder_that_is_there_keeps_its_rights(tmp_path: Path) -> None:
    (tmp_path / "open").mkdir(mode=0o755)
    make_private_folder(tmp_path / "open")
    assert (tmp_path / "open").stat().st_mode & 0o777 == 0o755
