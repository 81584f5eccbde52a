"""Which platforms are opened, for whom, and what stays untouched."""

from __future__ import annotations

from pathlib import Path

import pytest

from fleetcast.app import open_books, open_fleet
from fleetcast.app.platforms import DOORS, Lasts, door, lasting_door
from fleetcast.config.layers import Origin
from fleetcast.domain.errors import BadInput
from fleetcast.domain.settings import PlatformKind
from tests.fleets import small_fleet

WRITTEN = Origin("fleetcast.yaml", 4)


@pytest.fixture
def forgetful(tmp_path: Path) -> Path:
    """A fleet whose settings name the platform in memory."""
    directory = small_fleet(tmp_path / "made", circuits=1, family="seasonal_naive").opened.directory
    settings = directory / "fleetcast.yaml"
    text = settings.read_text()
    assert text.count("  kind: local ") == 1
    settings.write_text(text.replace("  kind: local ", "  kind: memory "))
    return directory


def test_every_kind_of_platform_has_a_door() -> None:
    assert set(DOORS) == set(PlatformKind)


def test_a_kind_without_a_door_is_refused_with_the_known_ones() -> None:
    without = {PlatformKind.LOCAL: DOORS[PlatformKind.LOCAL]}
    with pytest.raises(
        BadInput, match=r"fleetcast\.yaml:4: the platform 'memory' cannot be opened"
    ) as refused:
        door(PlatformKind.MEMORY, WRITTEN, without)
    assert refused.value.fix == "known are local"


def test_only_a_platform_that_lasts_is_opened_for_a_command() -> None:
    assert lasting_door(PlatformKind.LOCAL, WRITTEN).lasts is Lasts.ON
    with pytest.raises(BadInput, match=r"fleetcast\.yaml:4: .* does not outlive a command") as refused:
        lasting_door(PlatformKind.MEMORY, WRITTEN)
    assert refused.value.fix == "write `kind: local` or `kind: azureml` there"


@pytest.mark.parametrize("opening", [open_fleet, open_books])
def test_a_platform_that_forgets_is_refused_before_anything_is_written(
    forgetful: Path, opening: object
) -> None:
    before = sorted(forgetful.rglob("*"))
    assert callable(opening)
    with pytest.raises(
        BadInput, match=r"fleetcast\.yaml:4: the platform 'memory' does not outlive a command"
    ):
        opening(forgetful)
    assert sorted(forgetful.rglob("*")) == before
