"""A table on a disk that lost a part of itself says which file it is; nothing of it is read as if it were whole."""

from __future__ import annotations

import os
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest

from fleetcast.domain.duration import EARLIEST, LATEST
from fleetcast.domain.errors import Unavailable
from fleetcast.platforms.delta.table import DeltaReadingsTable
from fleetcast.ports.readings import ReadingsWanted
from fleetcast.workflows.simulate import Simulate, SimulatedFleet


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for plants in (1, 2):
        made = SimulatedFleet(plants, 1, length=timedelta(days=1))
        Simulate(DeltaReadingsTable(tmp_path / "readings"))(made)
    return tmp_path / "readings"


def cut(size: int) -> Callable[[Path], None]:
    return lambda path: os.truncate(path, size)


def read(folder: Path) -> int:
    table = DeltaReadingsTable(folder)
    wanted = [ReadingsWanted(key, ("temperature",), EARLIEST, LATEST) for key in table.circuits(1)]
    return sum(len(one.times) for one in table.read(wanted, 1))


def test_a_whole_table_is_read(folder: Path) -> None:
    assert read(folder) == 48


@pytest.mark.parametrize(
    ("file", "spoil", "what", "fix"),
    [
        ("_delta_log/00000000000000000001.json", cut(100), "is torn", "as version 0"),
        ("_delta_log/00000000000000000001.json", cut(0), "is torn", "as version 0"),
        ("_delta_log/00000000000000000000.json", cut(40), "is torn", "backup"),
        (
            "_delta_log/_last_checkpoint",
            lambda path: path.write_text('{"version":9,"size":2}'),
            "names a checkpoint that is not there",
            "remove that file",
        ),
        ("*/*.parquet", Path.unlink, "is not there", "backup"),
        ("*/*.parquet", cut(300), "has 300 of the", "backup"),
    ],
)
def test_the_file_that_is_torn_is_named(
    folder: Path, file: str, spoil: Callable[[Path], object], what: str, fix: str
) -> None:
    path = next(folder.glob(file), folder / file)
    spoil(path)
    with pytest.raises(Unavailable) as refused:
        read(folder)
    assert f"{folder} is damaged: {path.relative_to(folder)} {what}" in str(refused.value)
    assert fix in refused.value.fix


def test_nothing_is_stored_in_a_table_whose_commit_was_emptied(folder: Path) -> None:
    os.truncate(folder / "_delta_log" / f"{1:020}.json", 0)
    before = sorted(folder.rglob("*"))
    with pytest.raises(Unavailable, match="is torn"):
        Simulate(DeltaReadingsTable(folder))(SimulatedFleet(3, 1, length=timedelta(days=1)))
    assert sorted(folder.rglob("*")) == before
