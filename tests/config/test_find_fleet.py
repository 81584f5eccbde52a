"""Which folder a command is about."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from fleetcast.config.find_fleet import (
    NoFleet,
    check_is_fleet,
    fleet_above,
    fleet_around,
    is_fleet,
    nearest_fleet,
)
from fleetcast.config.settings_reader import load_settings
from fleetcast.config.templates import init_fleet
from fleetcast.domain.errors import InvalidFleet


@pytest.fixture
def fleet(tmp_path: Path) -> Path:
    init_fleet(tmp_path / "fleet")
    return (tmp_path / "fleet").resolve()


def test_a_fleet_is_found_from_its_folders_as_one_types_it(fleet: Path) -> None:
    (fleet / "notes" / "old").mkdir(parents=True)
    assert nearest_fleet(fleet) == Path()
    assert nearest_fleet(fleet / "config") == Path("..")
    assert nearest_fleet(fleet / "notes" / "old") == Path("../..")
    assert fleet_around(fleet / "notes" / "old") == fleet
    assert nearest_fleet(fleet.parent) is None


def test_the_nearest_one_counts(fleet: Path) -> None:
    init_fleet(fleet / "inner")
    (fleet / "inner" / "notes").mkdir()
    assert fleet_around(fleet / "inner" / "notes") == fleet / "inner"


def test_nothing_is_looked_for_above_the_home(fleet: Path) -> None:
    home = fleet / "people" / "ada"
    (home / "work").mkdir(parents=True)
    assert fleet_around(home / "work", home) is None
    assert fleet_around(home / "work", fleet) == fleet
    assert fleet_around(fleet / "config", home) == fleet


def test_another_file_system_ends_the_way_up(fleet: Path, tmp_path: Path) -> None:
    inner = fleet / "config"
    assert fleet_around(inner) == fleet
    if tmp_path.stat().st_dev == Path("/proc/self").stat().st_dev:
        pytest.skip("one file system")
    assert fleet_around(Path("/proc/self/task")) is None


@pytest.mark.parametrize(
    "file", ["fleetcast.yaml", "config/circuits.yaml", "config/circuits/more.yaml"], ids=str
)
def test_a_folder_with_one_of_its_files_is_a_fleet_with_mistakes(tmp_path: Path, file: str) -> None:
    assert not is_fleet(tmp_path)
    (tmp_path / file).parent.mkdir(parents=True, exist_ok=True)
    (tmp_path / file).write_text("", encoding="utf-8")
    check_is_fleet(tmp_path)
    assert nearest_fleet(tmp_path) == Path()


def test_no_settings_are_made_up_where_their_file_is_missing(fleet: Path) -> None:
    (fleet / "fleetcast.yaml").unlink()
    with pytest.raises(InvalidFleet, match=r"fleetcast\.yaml: is missing"):
        load_settings(fleet)


def test_what_holds_no_fleet_is_said_in_one_line(tmp_path: Path) -> None:
    with pytest.raises(NoFleet) as none:
        check_is_fleet(tmp_path)
    assert str(none.value) == f"there is no fleet in {tmp_path}: it holds no fleetcast.yaml"
    with pytest.raises(NoFleet) as gone:
        check_is_fleet(tmp_path / "gone")
    assert str(gone.value) == f"there is no directory {tmp_path / 'gone'}"
    assert gone.value.fix == f"make one: fleetcast init {tmp_path / 'gone'}"


def test_a_folder_that_is_to_be_made_is_looked_above_of(fleet: Path) -> None:
    assert fleet_above(fleet / "not" / "yet") == fleet
    assert fleet_above(fleet) is None


@pytest.mark.skipif(os.getuid() != 0, reason="only root gives files away")
def test_a_fleet_above_that_somebody_else_has_put_there_is_not_taken(
    fleet: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    os.chown(fleet, 4711, 4711)
    with pytest.raises(NoFleet, match="belongs to another user") as refused:
        fleet_around(fleet / "config")
    assert refused.value.fix == f"if you trust them, name it: --fleet {fleet}"
    assert fleet_around(fleet) == fleet
