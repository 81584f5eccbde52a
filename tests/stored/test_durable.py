"""Files that are on the disk before anything names them."""

from __future__ import annotations

from pathlib import Path

import pytest

from fleetcast.stored.durable import partial_beside, write_durably


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
