"""A number that no table holds is refused in one line, by each command that takes one."""

from __future__ import annotations

from pathlib import Path

import pytest

from fleetcast.cli.main import run
from fleetcast.config.templates import NewFleet, init_fleet
from fleetcast.domain.identity import CircuitKey

HUGE = "99999999999999999999"


@pytest.fixture(scope="module")
def fleet(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("numbers") / "fleet"
    init_fleet(folder, NewFleet((CircuitKey("PLANT001", "CIRCUIT01"),), ("temperature",), "2025-11-30"))
    return folder


@pytest.mark.parametrize(
    "words",
    [
        ("alarms", "show", HUGE),
        ("alarms", "ack", HUGE),
        ("alarms", "snooze", HUGE, "--for", "4h"),
        ("approve", HUGE),
        ("reject", HUGE, "--comment", "no"),
        ("approvals", "show", HUGE),
        ("notifications", "retry", HUGE),
        ("notifications", "ack", HUGE),
        ("releases", "show", f"prod/PLANT001:{HUGE}"),
        ("rollback", "prod", "PLANT001", "--to", HUGE),
        ("token", "revoke", HUGE),
        ("audit", "list", "--before", HUGE),
        ("audit", "list", "--request", HUGE),
        ("forecast", "PLANT001/CIRCUIT01", "--model-version", HUGE),
        ("data", "show", "--delta-version", HUGE),
        ("affected", "readings", "--delta-version", HUGE),
    ],
    ids=" ".join,
)
def test_a_number_beyond_all_is_refused_or_finds_nothing(
    fleet: Path, words: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    code = run([*words, "--fleet", str(fleet)])
    said = capsys.readouterr()
    assert code in (0, 1, 64), said.err
    assert "Traceback" not in said.err
    assert code == 0 or said.err.startswith("error: "), said.err
