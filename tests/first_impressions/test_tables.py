"""Tables of a fleet in which something happened, at terminals of three widths and through a pipe."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

import pytest

from fleetcast.cli.main import run
from tests.first_impressions.eventful import CIRCUITS, MODEL, eventful_fleet
from tests.first_impressions.many_screens import PIPE, screens_of
from tests.first_impressions.screens import WIDTHS, Screen, at_terminal

MODELS = tuple(circuit.replace("/", "-").lower() for circuit in CIRCUITS)
ENDPOINTS = tuple(f"{place}/{plant}" for place in ("test", "prod") for plant in ("PLANT001", "PLANT002"))
SENSORS = ("temperature", "pressure", "vibration")
LISTS: dict[str, tuple[str, ...]] = {
    "circuits list": CIRCUITS,
    "circuits show PLANT001/CIRCUIT01": (
        "pipeline_component_version",
        "config/circuits.yaml:",
        "forecast_horizon",
    ),
    "models list": CIRCUITS,
    f"models show {MODEL}": (MODEL, *SENSORS, "/.fleetcast/artifacts/"),
    "data show": CIRCUITS,
    "data quality": (*CIRCUITS, *SENSORS),
    "data versions": (),
    "releases list": ENDPOINTS,
    "releases list test/PLANT001": ("test/PLANT001", "2 live"),
    "releases show test/PLANT001": ("CIRCUIT01", f"{MODEL}:1"),
    "alarms list": ("prod/PLANT001/CIRCUIT01", "test/PLANT002/CIRCUIT01"),
    "approvals list --all": tuple(f"model {model}:1" for model in MODELS),
    "audit list --last 100": (*MODELS, "alarm.acknowledged", "prod/PLANT001/CIRCUIT02:2"),
    "runs list": ("run-0001", "run-0002"),
    "runs show run-0002": ("RegisterEnvironment", ".fleetcast/runs/run-0002"),
    "schedules list": (),
    "people list": (),
    "token list": (),
    "status": ("PLANT001", "PLANT002", "prod/PLANT001/CIRCUIT01", "fleetcast alarms list"),
    "plan --all": CIRCUITS,
    "deploy status": (),
}


@pytest.fixture(scope="module")
def fleet(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return eventful_fleet(tmp_path_factory.mktemp("tables")).opened.directory


@pytest.fixture(scope="module")
def screens(fleet: Path) -> Mapping[tuple[str, int], Screen]:
    """Each command at each width and through a pipe."""
    return screens_of(tuple(LISTS), WIDTHS, fleet)


def _too_wide(screen: Screen, width: int, kept: Iterable[str]) -> list[str]:
    """Lines wider than the terminal in which nothing is that has to stay whole."""
    return [
        line
        for line in screen.lines
        if len(line) > width
        and not any(one in line for one in kept)
        and not any(len(word) > width // 2 for word in line.split())
    ]


@pytest.mark.parametrize("width", [*WIDTHS, PIPE])
@pytest.mark.parametrize("words", LISTS)
def test_ids_paths_and_commands_are_whole_at_any_width(
    screens: Mapping[tuple[str, int], Screen], words: str, width: int
) -> None:
    screen = screens[words, width]
    assert screen.code == 0, screen.shown
    assert "…" not in screen.shown.replace("'…'", "")
    for one in LISTS[words]:
        assert any(one in line for line in screen.lines), f"{one} is broken:\n{screen.shown}"


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("words", LISTS)
def test_no_line_is_wider_than_the_terminal_but_for_what_is_copied(
    screens: Mapping[tuple[str, int], Screen], words: str, width: int
) -> None:
    assert _too_wide(screens[words, width], width, ("fleetcast ", "--")) == []


@pytest.mark.parametrize("words", LISTS)
def test_a_pipe_gets_every_column_and_the_same_as_wide_gives(
    screens: Mapping[tuple[str, int], Screen], words: str
) -> None:
    assert " hidden at " not in screens[words, PIPE].text
    assert "\x1b" not in screens[words, PIPE].raw


def test_what_is_hidden_is_said_and_wide_shows_it(
    fleet: Path, screens: Mapping[tuple[str, int], Screen]
) -> None:
    narrow = screens["models list", 60]
    assert "hidden at 60 columns: " in narrow.text
    assert "training hash; --wide shows all" in narrow.text
    wide = at_terminal(["models", "list", "--wide"], fleet, width=60)
    assert wide.lines[0] == screens["models list", PIPE].lines[0]
    assert "training hash" in wide.lines[0]


def test_times_are_written_alike(screens: Mapping[tuple[str, int], Screen]) -> None:
    for words in ("models list", "releases list", "alarms list", "audit list --last 100", "runs list"):
        shown = screens[words, PIPE].shown
        assert " (UTC)" in shown
        assert "2025-03-02 00:00  " in shown, words


def test_colours_are_shown_unless_somebody_wants_none(
    fleet: Path, screens: Mapping[tuple[str, int], Screen]
) -> None:
    assert "\x1b[32mpromoted" in screens["models list", 120].raw
    plain = at_terminal(["models", "list"], fleet, width=120, environment={"NO_COLOR": "1"})
    assert "\x1b[32m" not in plain.raw
    assert plain.shown == screens["models list", 120].shown


def test_empty_lists_say_what_to_do_next(tmp_path: Path) -> None:
    assert run(["init", str(tmp_path / "new")]) == 0
    lists = {
        "runs list": "fleetcast train",
        "releases list": "fleetcast deploy test",
        "alarms list": "fleetcast monitor",
        "approvals list": "fleetcast approvals list --all",
        "token list": "fleetcast token create",
    }
    for (words, _), screen in screens_of(tuple(lists), [60], tmp_path / "new").items():
        assert any(lists[words] in line for line in screen.lines), screen.shown
