"""The settings that docs/MONITORING.md shows, read as a fleet's own."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from fleetcast.config.settings import SETTINGS_FILE
from fleetcast.config.templates import NewFleet, init_fleet
from fleetcast.domain.identity import CircuitKey
from tests.scenarios.repository import Repository

PAGE = Path(__file__).parent.parent / "docs" / "MONITORING.md"
BLOCKS = re.findall(r"```yaml\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)


def test_the_page_shows_settings_of_each_kind() -> None:
    assert [block.partition(":")[0] for block in BLOCKS] == ["environments", "notifications", "schedules"]


@pytest.mark.parametrize("block", BLOCKS, ids=lambda block: str(block.partition(":")[0]))
def test_what_the_page_shows_is_taken_as_it_stands(block: str, tmp_path: Path) -> None:
    folder = tmp_path / "fleet"
    init_fleet(folder, NewFleet(circuits=[CircuitKey("PLANT001", "CIRCUIT01")]))
    file = folder / SETTINGS_FILE
    own = re.compile(rf"^{block.partition(':')[0]}:\n(?:[ #].*\n|\n)*", re.MULTILINE)
    file.write_text(own.sub("", file.read_text(encoding="utf-8")) + "\n" + block, encoding="utf-8")
    said = Repository(folder).type("validate")
    assert (said.code, said.err) == (0, ""), said.out
